"""Somebody opens the explorer of the running sandbox and sees a price move.

OKD_SCREENSHOT=FILE keeps what the browser showed: the picture in the README is made that way.
"""

import os
import re
import shutil
from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("sandbox")]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI has to have chromium")
        pytest.skip("chromium is not installed")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        await opened.close()


async def test_a_price_moves_in_the_explorer(sandbox: Sandbox, browser: Browser):
    page = await browser.new_page(viewport={"width": 1180, "height": 720})
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: complaints.append(str(e)))
    page.on("request", lambda r: hosts.add(r.url.split("/")[2]))
    page.on("websocket", lambda w: hosts.add(w.url.split("/")[2]))

    await page.goto(sandbox.addresses["graphiql"])
    await page.get_by_role("tab", name="Live price").click()
    await page.get_by_role("button", name="Run").click()
    await expect(page.locator("#state")).to_have_text("Live")
    await expect(page.locator("#counter b")).to_have_text(re.compile(r"^\d\d+$"), timeout=20_000)
    newest = await page.locator("#results").inner_text()
    if picture := os.environ.get("OKD_SCREENSHOT"):
        await page.screenshot(path=picture)

    assert re.search(r'"lastPrice": "\d+\.\d+"', newest)
    assert '"source": "SANDBOX"' in newest
    assert complaints == []
    assert hosts == {sandbox.addresses["graphiql"].split("/")[2]}


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
