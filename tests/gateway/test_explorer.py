"""The small explorer in a real browser: it works, keeps its policy, and talks to nobody else."""

import os
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browsing import launched, visiting
from tests.gateway.conftest import World, serving

pytestmark = pytest.mark.browser
MANY = re.compile(r"^\d\d+$")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as opened:
        yield opened


async def write(page: Page, text: str) -> None:
    await page.get_by_label("Query").fill(text)


async def test_a_query_runs_by_keyboard(shared: World, browser: Browser) -> None:
    async with visiting(browser, shared.url + "/graphiql") as visit:
        page = visit.page
        await write(page, "query Greet($name: String!) { hello(name: $name) correlationId }")
        await page.get_by_label("Variables, as JSON").fill('{"name": "Ada"}')
        await page.get_by_role("tab", name="Headers").click()
        await page.get_by_label("Headers, as JSON").fill('{"x-correlation-id": "from-explorer"}')
        await page.keyboard.press("Control+Enter")

        await expect(page.locator("#results")).to_contain_text('"hello Ada"')
        await expect(page.locator("#results")).to_contain_text('"from-explorer"')
        await expect(page.locator("#facts")).to_contain_text("HTTP 200")
        stored = await page.evaluate(
            "[localStorage.length, sessionStorage.length, document.cookie]"
        )
        assert stored == [0, 0, ""]
        assert visit.complaints == []
        assert visit.hosts == {shared.url.removeprefix("http://")}


async def test_a_subscription_moves_with_the_newest_on_top_and_stops(
    shared: World, browser: Browser
) -> None:
    async with visiting(browser, shared.url + "/graphiql") as visit:
        page = visit.page
        await page.get_by_role("button", name="Run").click()

        await expect(page.locator("#state")).to_have_text("Live")
        counter = page.locator("#counter b")
        await expect(counter).to_have_text(MANY)
        times = await page.locator("#results time").all_text_contents()
        await page.get_by_role("button", name="Stop").click()
        await expect(page.locator("#state")).to_have_text("Stopped")
        assert times == sorted(times, reverse=True)
        assert int(await counter.inner_text()) > 9
        assert visit.complaints == []
        assert visit.hosts == {shared.url.removeprefix("http://")}


@pytest.mark.parametrize(
    ("query", "variables", "said"),
    [
        ("{ nope }", "", "Cannot query field 'nope'"),
        ('{ boom(kind: "bug") }', "", "Something went wrong on our side."),
        ("{ hello }", "{oops", "Variables: this is not JSON."),
        ("subscription { nope }", "", "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_errors_are_shown_clearly(
    shared: World, browser: Browser, query: str, variables: str, said: str
) -> None:
    async with visiting(browser, shared.url + "/graphiql") as visit:
        await write(visit.page, query)
        await visit.page.get_by_label("Variables, as JSON").fill(variables)
        await visit.page.keyboard.press("Control+Enter")

        await expect(visit.page.get_by_role("alert")).to_contain_text(said)


async def test_it_shows_that_the_server_left_and_comes_back_with_it(browser: Browser) -> None:
    async with serving(drain_seconds=0) as first:
        port = int(first.url.rpartition(":")[2])
        async with visiting(browser, first.url + "/graphiql") as visit:
            await visit.page.get_by_role("button", name="Run").click()
            await expect(visit.page.locator("#state")).to_have_text("Live")
            first.drain.begin()
            await expect(visit.page.locator("#state")).to_contain_text("try 1 in")
            await first.ended.wait()
            first.listener.close()
            async with serving(web_port=port):
                await expect(visit.page.locator("#state")).to_have_text("Live", timeout=15_000)
                counter = visit.page.locator("#counter b")
                await expect(counter).not_to_have_text(await counter.inner_text())
                await visit.page.get_by_role("button", name="Stop").click()


LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]


@pytest.mark.parametrize(("scheme", "width"), LOOKS)
async def test_every_page_fits_its_screen(
    shared: World, browser: Browser, tmp_path: Any, scheme: str, width: int
) -> None:
    look = {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    folder = os.environ.get("OKD_SCREENSHOTS", str(tmp_path))
    async with visiting(browser, shared.url + "/graphiql", **look) as visit:
        page = visit.page
        await page.get_by_role("button", name="Run").click()
        await expect(page.locator("#counter b")).to_have_text(MANY)
        await page.screenshot(path=f"{folder}/explorer-{scheme}-{width}.png", full_page=width < 800)
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(overflow) == 0
        await page.goto(shared.url + "/")
        await expect(page.locator("#summary")).to_have_text(re.compile("Everything works"))
        await page.screenshot(path=f"{folder}/landing-{scheme}-{width}.png", full_page=width < 800)
        assert await page.evaluate(overflow) == 0
        assert visit.complaints == []
