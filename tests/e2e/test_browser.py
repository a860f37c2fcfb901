"""GraphiQL as we build it, on the running sandbox, in a real browser.

OKD_SCREENSHOT=FILE keeps what the newcomer saw: the picture in the README is made that way. The
small explorer, which is there until GraphiQL is built, has its tests in tests/gateway.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, Page, Request, WebSocket, expect

from tests.browsing import Visit, launched, visiting
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import Service

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("sandbox"),
    pytest.mark.usefixtures("front_end"),
]

PATIENCE_MS = 20_000  # Monaco is 3 MB of script, and the machine may be busy.
PRICE = re.compile(r'"lastPrice":\s*"(\d+\.\d+)"')
KEPT_FOURTH_TAB = """() => new Promise((done) => {
  const look = () => JSON.parse(localStorage["graphiql:tabState"] ?? "{}").activeTabIndex === 3
    ? done() : requestAnimationFrame(look);
  look();
})"""
CANARY = "canary-7c1e-somebodys-token"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as opened:
        yield opened


@asynccontextmanager
async def graphiql(
    browser: Browser, sandbox: Sandbox, *, also: Collection[str] = (), **look: Any
) -> AsyncIterator[Visit]:
    """The page, ready to run; in the end it broke no policy and spoke to no host but ``also``."""
    url = sandbox.addresses["graphiql"]
    async with visiting(browser, url, viewport={"width": 1280, "height": 800}, **look) as visit:
        await ready(visit.page)
        yield visit
        assert visit.complaints == []
        assert visit.hosts == {url.split("/")[2], *also}


async def ready(page: Page) -> None:
    """Wait for the editor, and for the schema that it helps with."""
    await expect(page.get_by_role("tab").first).to_be_visible(timeout=PATIENCE_MS)
    await expect(page.locator(".graphiql-query-editor .view-line").first).to_be_visible(
        timeout=PATIENCE_MS
    )
    await expect(page.get_by_label("Re-fetch GraphQL schema")).to_be_enabled()


def tab(page: Page, name: str) -> Any:
    return page.get_by_role("tab", name=re.compile(f"^{name}( Close Tab)?$"))


def result(page: Page) -> Any:
    return page.get_by_role("region", name="Result Window")


def answer(page: Page) -> Any:
    return page.get_by_role("region", name="Answer")


async def run(page: Page) -> None:
    await page.get_by_role("button", name="Execute query").click()


async def stop(page: Page) -> None:
    await page.get_by_role("button", name="Stop query").click()


async def write(page: Page, editor: str, text: str) -> None:
    """Replace what one of Monaco's editors holds, as by pasting: it completes what is typed."""
    await page.locator(f"{editor} .graphiql-editor:not(.hidden) .view-lines").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)
    await page.keyboard.press("Escape")  # Its suggestions lie over the buttons.


async def test_a_newcomers_five_minutes(sandbox: Sandbox, browser: Browser):
    url = sandbox.addresses["graphiql"]
    async with visiting(
        browser, url.removesuffix("graphiql"), viewport={"width": 1280, "height": 800}
    ) as visit:
        page = visit.page
        await expect(page.locator("#summary")).to_have_text(re.compile("Everything works"))
        await page.get_by_role("link", name="Open the explorer").click()
        await ready(page)
        await expect(tab(page, "Price")).to_have_attribute("aria-selected", "true")
        await run(page)
        await expect(result(page)).to_contain_text(PRICE, timeout=PATIENCE_MS)

        seen = {await price(page)}
        for _ in range(3):  # It moves, and moves on.
            newest = re.compile(f'"lastPrice":\\s*"(?!(?:{"|".join(map(re.escape, seen))})")')
            await expect(result(page)).to_contain_text(newest, timeout=PATIENCE_MS)
            seen.add(await price(page))
        assert len(seen) > 1
        await expect(result(page)).to_contain_text('"source": "SANDBOX"')
        if picture := os.environ.get("OKD_SCREENSHOT"):
            await page.get_by_role("button", name="Show Answer").click()
            await expect(answer(page)).to_contain_text(re.compile(r"Values\s*\d\d"))
            await page.mouse.move(640, 700)
            await page.screenshot(path=picture)
        assert visit.complaints == []
        assert visit.hosts == {url.split("/")[2]}


async def price(page: Page) -> str:
    found = PRICE.search((await result(page).inner_text()).replace("\xa0", " "))
    assert found
    return found[1]


async def test_every_starter_answers(sandbox: Sandbox, browser: Browser):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        names = await page.get_by_role("tab").all_inner_texts()
        for name in names[:-1]:  # "Events" are for who signs in: test_sign_in.py.
            await tab(page, name).click()
            await run(page)
            await expect(result(page)).to_contain_text(re.compile(r'"data":\s*{'))
            assert '"errors"' not in await result(page).inner_text()
            if await page.get_by_role("button", name="Stop query").count():
                await stop(page)

    assert names == [
        *("Price", "Watchlist", "Book", "Candles", "Trades", "Search", "Pages", "Status"),
        *("Me", "Wallets", "Events"),
    ]


async def test_the_answers_panel_tells_what_is_beside_the_data(sandbox: Sandbox, browser: Browser):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        await page.get_by_role("button", name="Show Answer").click()
        await expect(answer(page)).to_contain_text("Run an operation")

        await tab(page, "Search").click()
        await run(page)
        await expect(result(page)).to_contain_text('"ETHUSDT"')
        await expect(answer(page)).to_contain_text("HTTP 200")
        await expect(answer(page)).to_contain_text(re.compile(r"x-correlation-id\s*[0-9a-f]{24}"))

        await tab(page, "Trades").click()
        await run(page)
        await expect(answer(page)).to_contain_text("live, over WebSocket")
        await expect(answer(page)).to_contain_text(re.compile(r"Per second\s*(?!0\.0)\d+\.\d"))
        await stop(page)
        await expect(answer(page)).to_contain_text(re.compile(r"Status\s*ended"))


async def test_a_mistake_is_marked_and_what_the_server_says_is_shown(
    sandbox: Sandbox, browser: Browser
):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        await page.get_by_role("button", name="Show Answer").click()
        await write(page, ".graphiql-query-editor", "query Broken nope")

        await expect(page.locator(".squiggly-error").first).to_be_visible(timeout=PATIENCE_MS)
        await page.keyboard.press("Control+Enter")

        await expect(result(page)).to_contain_text("Syntax Error")
        await expect(answer(page)).to_contain_text('"correlationId"')
        await expect(answer(page)).to_contain_text("GRAPHQL_PARSE_FAILED")
        await write(page, ".graphiql-query-editor", "subscription Broken { nope }")
        await page.keyboard.press("Control+Enter")
        await expect(answer(page)).to_contain_text("GRAPHQL_VALIDATION_FAILED")
        await expect(answer(page)).to_contain_text(re.compile(r"Status\s*failed"))
        # GraphiQL throws a refused subscription on to the page, as a list without words of its own.
        visit.complaints[:] = [text for text in visit.complaints if not text.startswith("Array(")]
        # Chromium itself notes an answer with an error status.
        visit.complaints[:] = [text for text in visit.complaints if "status of 400" not in text]


async def test_a_header_reaches_both_transports_and_is_never_stored(
    sandbox: Sandbox, browser: Browser
):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        posted: list[str | None] = []
        sent: list[str] = []

        def note_request(request: Request) -> None:
            if request.method == "POST":
                posted.append(request.headers.get("x-example"))

        def note_socket(socket: WebSocket) -> None:
            socket.on("framesent", lambda text: sent.append(str(text)))

        page.on("request", note_request)
        page.on("websocket", note_socket)
        await page.get_by_role("button", name="Headers", exact=True).click()
        await write(page, ".graphiql-editor-tool", json.dumps({"x-example": CANARY}))
        await run(page)
        await expect(result(page)).to_contain_text(PRICE, timeout=PATIENCE_MS)
        await stop(page)
        await write(page, ".graphiql-query-editor", "query Mine { systemStatus { state } }")
        await run(page)
        await expect(result(page)).to_contain_text(re.compile(r'"state":\s*"'))

        assert CANARY in posted
        assert json.loads(sent[0])["type"] == "connection_init"
        assert json.loads(sent[0])["payload"] == {"x-example": CANARY}
        kept = "JSON.stringify([localStorage, sessionStorage, document.cookie])"
        assert "systemStatus" in await page.evaluate(kept)  # The operation is, so that it is there
        assert CANARY not in await page.evaluate(kept)  # after a reload; the header is not.
        await page.reload()
        await ready(page)
        await page.get_by_role("button", name="Headers", exact=True).click()
        assert CANARY not in await page.locator("body").inner_text()


async def test_what_was_written_is_there_after_a_reload(sandbox: Sandbox, browser: Browser):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        await tab(page, "Candles").click()
        await run(page)
        await expect(result(page)).to_contain_text('"closePrice"')
        await page.evaluate(KEPT_FOURTH_TAB)
        await page.reload()
        await ready(page)

        await expect(page.get_by_role("tab")).to_have_count(11)
        await expect(tab(page, "Candles")).to_have_attribute("aria-selected", "true")
        await run(page)
        await expect(result(page)).to_contain_text('"closePrice"')


async def test_a_link_of_the_documents_opens_its_operation(sandbox: Sandbox, browser: Browser):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        docs = sandbox.addresses["graphiql"].replace("/graphiql", "/docs/reference/queries.md")
        for _ in range(2):  # the second time there are tabs that are remembered
            await page.goto(docs)
            await page.locator("h2#ticker ~ figure a").first.click()
            await ready(page)
            await expect(page.locator(".graphiql-query-editor")).to_contain_text("query Ticker")
            await run(page)
            await expect(result(page)).to_contain_text('"lastPrice"')
        # The address keeps the operation until the page remembers it: reloading never loses it,
        for _ in range(2):
            await page.reload()
            await ready(page)
            await expect(tab(page, "Ticker")).to_have_count(1)
        # and once it is remembered, what is made of it is what a reload brings.
        await expect(page).to_have_url(re.compile("/graphiql$"))


async def test_history_docs_and_explorer_open(sandbox: Sandbox, browser: Browser):
    async with graphiql(browser, sandbox) as visit:
        page = visit.page
        await tab(page, "Pages").click()
        await run(page)
        await expect(result(page)).to_contain_text('"pageInfo"')
        await tab(page, "Status").click()

        await page.get_by_role("button", name="Show History").click()
        await page.get_by_role("region", name="History").get_by_text("Pages").first.click()
        await expect(page.locator(".graphiql-query-editor")).to_contain_text("endCursor")

        await page.get_by_role("button", name="Show Documentation Explorer").click()
        docs = page.locator(".graphiql-doc-explorer")
        await docs.get_by_text("Subscription", exact=True).click()
        await expect(docs).to_contain_text("the current one at once")

        await page.get_by_role("button", name="Show GraphiQL Explorer").click()
        await expect(
            page.locator(".docExplorerWrap, .graphiql-explorer-root").first
        ).to_contain_text("instruments")


async def test_a_mailed_link_sets_a_password(sandbox: Sandbox, browser: Browser):
    # No policy of ours may stop our own form: a browser told to send no referrer posts it as from
    # nowhere, and pages from nowhere are refused.
    with httpx.Client(base_url=sandbox.addresses["identity"]) as http:
        service = Service("ours", http)
        email = service.sign_up()["email"]
        service.accounts("sendOobCode", requestType="PASSWORD_RESET", email=email)
        page = await browser.new_page()
        complaints: list[str] = []
        page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)

        await page.goto(sandbox.addresses["mailbox"])
        await page.get_by_role("link", name="Reset your password").first.click()
        await page.get_by_label("New password").fill("another horse")
        await page.get_by_role("button", name="Set the new password").click()
        await expect(page.get_by_role("heading", name="Done")).to_be_visible()

        assert service.sign_in(email, "another horse")["idToken"]
    assert complaints == []
