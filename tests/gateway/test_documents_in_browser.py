"""The documents as somebody reads them: searched, tried in the explorer, without a script."""

import re

from playwright.async_api import Browser, expect

from tests.browsing import visiting
from tests.gateway import test_explorer
from tests.gateway.conftest import World

pytestmark = test_explorer.pytestmark
browser = test_explorer.browser


async def test_search_leads_to_an_operation(shared: World, browser: Browser):
    async with visiting(browser, f"{shared.url}/docs") as visit:
        page = visit.page
        await page.keyboard.press("/")
        await page.keyboard.type("orderbook")
        await expect(page.locator("#found a").first).to_contain_text("orderBook")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")

        await expect(page).to_have_url(re.compile(r"/docs/reference/queries\.md#orderbook$"))
        await expect(page.locator("h2#orderbook")).to_be_in_viewport()
        await page.locator("search input").fill("qwertyuiop")
        await expect(page.locator("#found")).to_have_text("Nothing found.")

        assert visit.complaints == []
        assert visit.hosts == {shared.url.removeprefix("http://")}


async def test_examples_name_the_address_they_are_read_at(shared: World, browser: Browser):
    async with visiting(browser, f"{shared.url}/docs/guides/getting-started.md") as visit:
        code = " ".join(await visit.page.locator("main pre").all_inner_texts())

        assert f"curl -s {shared.url}/graphql" in code
        assert f"ws://{shared.url.removeprefix('http://')}/graphql" in code
        assert "127.0.0.1:8000" not in code
        assert visit.complaints == []


async def test_an_operation_opens_where_it_can_be_run(shared: World, browser: Browser):
    async with visiting(browser, f"{shared.url}/docs/reference/queries.md") as visit:
        page = visit.page
        shown = await page.locator("h2#ticker ~ figure pre").nth(0).inner_text()
        await page.locator("h2#ticker ~ figure a").first.click()

        await expect(page).to_have_url(re.compile(r"/graphiql\?query=query\+Ticker"))
        await expect(page.locator("#query")).to_have_value(shown)
        await expect(page.locator("#variables")).to_have_value(re.compile(r'"symbol": "BTCUSDT"'))
        assert visit.complaints == []


async def test_all_of_it_is_readable_without_a_script(shared: World, browser: Browser):
    async with visiting(
        browser,
        f"{shared.url}/docs/reference/queries.md",
        java_script_enabled=False,
        viewport={"width": 390, "height": 844},
    ) as visit:
        page = visit.page
        await expect(page.locator("search")).to_be_hidden()
        await expect(page.locator("nav.side")).to_be_hidden()
        await page.get_by_text("All documents").click()
        await page.get_by_role("link", name="Pagination").click()

        await expect(page.locator("h1")).to_have_text("Pagination")
        await expect(page.locator("figure .word").first).to_be_visible()
        assert visit.complaints == []
