"""A browser that tells what went wrong on a page, and which hosts it spoke to."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """The machine's own Chromium; without one the test skips, in CI it fails."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have chromium: no page was tested")
        pytest.skip("chromium is not installed: no page was tested")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=found, args=_FLAGS)
        yield opened
        await opened.close()


@dataclass
class Visit:
    """A page and all that went wrong or abroad on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors and warnings of the console, broken policies among them, and uncaught exceptions."""
    hosts: set[str] = field(default_factory=set)

    def hear(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda e: self.complaints.append(str(e)))
        page.on("request", lambda r: self._spoke_to(r.url))
        page.on("websocket", lambda w: self._spoke_to(w.url))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _spoke_to(self, url: str) -> None:
        if not url.startswith("data:"):  # Inside the page already.
            self.hosts.add(url.split("/")[2])


@asynccontextmanager
async def visiting(browser: Browser, url: str, **look: Any) -> AsyncIterator[Visit]:
    """A page of a profile of its own."""
    context = await browser.new_context(**look)
    visit = Visit(await context.new_page())
    visit.hear(visit.page)
    await visit.page.goto(url)
    try:
        yield visit
    finally:
        await context.close()
