"""The demo users sign in from GraphiQL, on the running sandbox, in a real browser."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import jwt
import pytest
from playwright.async_api import Browser, Page, WebSocket, expect

from tests.browsing import launched
from tests.e2e.sandbox import Sandbox
from tests.e2e.test_browser import PATIENCE_MS, graphiql, result, run, stop, tab, write
from tests.e2e.test_callers import demo_token

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("sandbox"),
    pytest.mark.usefixtures("front_end"),
]
KEPT = "JSON.stringify([localStorage, sessionStorage, document.cookie])"


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as opened:
        yield opened


def identity_of(sandbox: Sandbox) -> str:
    return str(sandbox.addresses["identity"]).split("/")[2]


def panel(page: Page) -> Any:
    return page.get_by_role("region", name="Sign in")


async def sign_in(page: Page, name: str, roles: str) -> None:
    await panel(page).get_by_label("Demo user").select_option(name)
    await panel(page).get_by_role("button", name=re.compile("^Sign in")).click()
    await expect(panel(page)).to_contain_text(f"{name}@okd.example", timeout=PATIENCE_MS)
    await expect(panel(page)).to_contain_text(re.compile(rf"Roles\s*{roles}"))
    await expect(panel(page)).to_contain_text(re.compile(r"Token ends in\s*\d+:\d\d min"))


async def shows(page: Page, query: str, text: str) -> None:
    """Write an operation, run it, and wait for this in its answer."""
    await write(page, ".graphiql-query-editor", query)
    await run(page)
    await expect(result(page)).to_contain_text(text, timeout=PATIENCE_MS)


async def test_a_demo_user_signs_in_and_out_and_leaves_no_token(sandbox: Sandbox, browser: Browser):
    async with graphiql(browser, sandbox, also={identity_of(sandbox)}) as visit:
        page = visit.page
        await page.get_by_role("button", name="Show Sign in").click()
        await expect(panel(page)).to_contain_text("Nobody is signed in.")
        await tab(page, "Me").click()
        await run(page)
        await expect(result(page)).to_contain_text('"viewer": null')

        await sign_in(page, "plain", "USER")
        await run(page)
        await expect(result(page)).to_contain_text('"email": "plain@okd.example"')
        kept = await page.evaluate(KEPT)
        assert "emailVerified" in kept  # The operation is.
        assert "eyJ" not in kept
        assert "okd-sandbox" not in kept

        await panel(page).get_by_role("button", name="Sign out").click()
        await run(page)
        await expect(result(page)).to_contain_text('"viewer": null')


async def test_an_administrator_steps_up(sandbox: Sandbox, browser: Browser):
    export = "mutation Export { exportMyData { __typename } }"
    async with graphiql(browser, sandbox, also={identity_of(sandbox)}) as visit:
        page = visit.page
        await page.get_by_role("button", name="Show Sign in").click()
        await sign_in(page, "admin", "ADMIN")

        await shows(
            page, "query Log { admin { auditLog(first: 1) { edges { cursor } } } }", '"edges"'
        )
        assert '"errors"' not in await result(page).inner_text()
        await shows(page, export, "ExportMyDataSuccess")
        await shows(page, "query Other { viewer { id } }", '"id"')
        await shows(page, export, "StepUpRequired")  # One step-up, one operation.
        await panel(page).get_by_role("button", name="Step up").click()
        await expect(panel(page)).to_contain_text("TOTP, 0:00 min ago")
        await shows(page, export, "ExportMyDataSuccess")
        assert "eyJ" not in await page.evaluate(KEPT)


async def test_a_subscription_belongs_to_who_is_signed_in(sandbox: Sandbox, browser: Browser):
    begun: list[str] = []
    subscribed: asyncio.Queue[None] = asyncio.Queue()

    def note(frame: str | bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "connection_init":
            begun.append(subject_of(message["payload"]["authorization"]))
        if message["type"] == "subscribe":
            subscribed.put_nowait(None)

    def listen(socket: WebSocket) -> None:
        socket.on("framesent", note)

    async with graphiql(browser, sandbox, also={identity_of(sandbox)}) as visit:
        page = visit.page
        page.on("websocket", listen)
        await page.get_by_role("button", name="Show Sign in").click()
        await sign_in(page, "plain", "USER")
        await tab(page, "Events").click()
        await run(page)
        await subscribed.get()

        await sign_in(page, "verified", "USER")
        await subscribed.get()
        # What happened before the server had the subscription is not told: until one is.
        for theme in ("DARK", "LIGHT") * 5:
            await choose(sandbox, "verified", theme)
            with suppress(AssertionError):
                await expect(result(page)).to_contain_text('"recordedAt"', timeout=2000)
                break

        await expect(result(page)).to_contain_text('"recordedAt"')
        await stop(page)
    assert begun == ["demo-plain", "demo-verified"]


def subject_of(authorization: str) -> str:
    token = authorization.removeprefix("Bearer ")
    return str(jwt.decode(token, options={"verify_signature": False})["sub"])


async def choose(sandbox: Sandbox, user: str, theme: str) -> None:
    token = demo_token(sandbox, user, second_factor=False)
    query = f"mutation {{ updateSettings(input: {{theme: {theme}}}) {{ __typename }} }}"
    async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
        answer = await client.post(
            sandbox.addresses["graphql"],
            json={"query": query},
            headers={"authorization": f"Bearer {token}"},
        )
    assert answer.json()["data"]["updateSettings"]["__typename"] == "UpdateSettingsSuccess"
