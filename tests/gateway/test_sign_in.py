"""Signing in from the small explorer, at a real identity service; elsewhere there is no menu."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from playwright.async_api import Browser, Page, Request, WebSocket, expect

from adapters.gateway.graphiql import GRAPHIQL_POLICY
from adapters.gateway.sign_in import DemoSignIn
from adapters.gateway.static import PAGE_POLICY
from adapters.sandbox_roles import demo_sign_in
from adapters.settings import Environment
from domain.users.errors import TokenInvalid
from domain.users.model import SignIn
from tests.browsing import Visit, launched, visiting
from tests.gateway.callers import ANN, BOB, TOKEN, Door
from tests.gateway.conftest import World, serving, settings
from tests.gateway.test_graphiql import build
from tests.sandbox.identity.service import ours

KEPT = "JSON.stringify([localStorage, sessionStorage, document.cookie])"
WHO = "subscription { privateWhoami }"


class DemoDoor(Door):
    """Believes the identity service, whose signatures others test: the plain user is Ann."""

    async def verify(self, token: str) -> SignIn | TokenInvalid:
        claims = jwt.decode(token, options={"verify_signature": False})
        known = await super().verify(TOKEN)
        assert isinstance(known, SignIn)
        uid = "ann" if claims["sub"] == "demo-plain" else "bob"
        return replace(
            known,
            identity=replace(known.identity, uid=uid),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )


def sign_in_at(origin: str) -> DemoSignIn:
    certificates = f"{origin}/certificates"
    told = demo_sign_in(
        settings(firebase_project="demo-okd", firebase_certificates_url=certificates)
    )
    assert told is not None
    return told


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as opened:
        yield opened


@pytest.fixture
def identity(tmp_path: Path) -> Iterator[str]:
    with ours(tmp_path / "identity.sqlite3") as service:
        yield f"http://{service.host}"


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[str]:
    """One whose tokens live four seconds."""
    with ours(tmp_path / "identity.sqlite3", token_life_seconds=4) as service:
        yield f"http://{service.host}"


@asynccontextmanager
async def explorer(browser: Browser, identity: str) -> AsyncIterator[Visit]:
    """The page with its menu; in the end it kept nothing and spoke to these two only."""
    identify = DemoDoor().identity().identify
    async with (
        serving(sign_in=sign_in_at(identity), identify=identify) as world,
        visiting(browser, world.url + "/graphiql") as visit,
    ):
        await expect(menu(visit.page)).to_be_visible()
        yield visit
        stored = await visit.page.evaluate(KEPT)
        assert stored == '[{},{},""]'
        assert visit.complaints == []
        assert visit.hosts <= {world.url.split("/")[2], identity.split("/")[2]}


def menu(page: Page) -> Any:
    return page.get_by_role("group", name="Sign in")


async def sign_in(page: Page, name: str, role: str = "USER") -> None:
    await menu(page).get_by_label("Demo user").select_option(name)
    await menu(page).get_by_role("button", name=re.compile("Sign in|Step up")).click()
    said = re.compile(rf"{name}@okd\.example · {role} · token ends in \d+ min")
    await expect(menu(page).get_by_role("status")).to_have_text(said)


async def sent_with(page: Page, query: str) -> dict[str, str]:
    """The headers an operation is sent with."""
    await page.get_by_label("Query").fill(query)
    async with page.expect_request(lambda r: is_operation(r, query)) as sent:
        await page.get_by_role("button", name="Run").click()
    await expect(page.locator("#state")).to_have_text("Done")
    return await (await sent.value).all_headers()


def is_operation(request: Request, query: str) -> bool:
    return request.method == "POST" and (request.post_data_json or {}).get("query") == query


def claims_of(headers: dict[str, str]) -> dict[str, Any]:
    token = headers["authorization"].removeprefix("Bearer ")
    return dict(jwt.decode(token, options={"verify_signature": False}))


async def test_the_sandbox_tells_its_pages_where_to_sign_in(tmp_path: Path):
    origin = "http://127.0.0.1:9099"
    async with serving(sign_in=sign_in_at(origin), graphiql=tmp_path) as world:
        told = await world.client.get("/sandbox/sign-in")
        small = await world.client.get("/graphiql")
        build(tmp_path)
        built = await world.client.get("/graphiql")
        script = await world.client.get("/graphiql/assets/plain-Cd34.js")
        others = [await world.client.get(path) for path in ("/", "/docs", "/pages/explorer.js")]

    assert told.headers["cache-control"] == "no-store"
    assert {name: value for name, value in told.json().items() if name != "users"} == {
        "identity": origin,
        "project": "demo-okd",
        "password": "okd-sandbox",
    }
    assert told.json()["users"][0] == {
        "name": "plain",
        "email": "plain@okd.example",
        "role": "USER",
        "secondFactor": False,
    }
    assert [user["secondFactor"] for user in told.json()["users"]] == [False, *[True] * 4]
    widened = f"connect-src 'self' {origin};"
    for page, policy in ((small, PAGE_POLICY), (built, GRAPHIQL_POLICY)):
        expected = policy.replace("connect-src 'self';", widened)
        assert page.headers["content-security-policy"] == expected
        assert expected != policy
    for other in (script, *others):
        assert origin not in other.headers["content-security-policy"]
    assert "okd-sandbox" not in small.text + script.text + others[-1].text


@pytest.mark.browser
async def test_elsewhere_nobody_is_offered(shared: World, browser: Browser):
    answer = await shared.client.get("/sandbox/sign-in")
    page = await shared.client.get("/graphiql")

    assert (answer.status_code, answer.content) == (204, b"")
    assert page.headers["content-security-policy"] == PAGE_POLICY
    async with visiting(browser, "about:blank") as visit:
        async with visit.page.expect_response("**/sandbox/sign-in") as asked:
            await visit.page.goto(shared.url + "/graphiql")
        await (await asked.value).finished()
        await visit.page.get_by_role("button", name="Run").click()
        await expect(visit.page.locator("#state")).to_have_text("Live")
        await expect(menu(visit.page)).to_have_count(0)
        assert visit.complaints == []


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": Environment.PRODUCTION},
        {"firebase_project": "someones-own"},
        {"firebase_certificates_url": "https://www.googleapis.com/robot"},
    ],
)
def test_only_the_sandboxs_own_service_is_told_of(changed: dict[str, Any]):
    own = {"firebase_project": "demo-okd", "firebase_certificates_url": "http://127.0.0.1:1/c"}

    assert demo_sign_in(settings(**own)) is not None
    assert demo_sign_in(settings(**own).model_copy(update=changed)) is None


@pytest.mark.browser
async def test_a_demo_user_signs_in_steps_up_and_out(browser: Browser, identity: str):
    async with explorer(browser, identity) as visit:
        page = visit.page
        assert "authorization" not in await sent_with(page, "{ hello }")

        await sign_in(page, "plain")
        plains = await sent_with(page, '{ hello(name: "plain") }')
        assert claims_of(plains)["sub"] == "demo-plain"

        await sign_in(page, "admin")
        first = claims_of(await sent_with(page, '{ hello(name: "admin") }'))
        await menu(page).get_by_role("button", name="Step up").click()
        await expect(menu(page).get_by_role("button", name="Step up")).to_be_enabled()
        fresh = claims_of(await sent_with(page, '{ hello(name: "again") }'))
        for claims in (first, fresh):
            assert claims["sub"] == "demo-admin"
            assert claims["firebase"]["sign_in_second_factor"] == "totp"
        assert fresh["auth_time"] >= first["auth_time"]

        await page.get_by_role("tab", name="Headers").click()
        by_hand = json.dumps({"Authorization": plains["authorization"]})
        await page.get_by_label("Headers, as JSON").fill(by_hand)
        assert claims_of(await sent_with(page, "{ address }"))["sub"] == "demo-plain"

        await page.get_by_label("Headers, as JSON").fill("")
        await menu(page).get_by_role("button", name="Sign out").click()
        assert "authorization" not in await sent_with(page, '{ hello(name: "out") }')


@pytest.mark.browser
async def test_a_subscription_becomes_the_next_persons(browser: Browser, identity: str):
    async with explorer(browser, identity) as visit:
        page = visit.page
        await sign_in(page, "plain")
        await page.get_by_label("Query").fill(WHO)
        await page.get_by_role("button", name="Run").click()
        newest = page.locator("#results article").first
        await expect(newest).to_contain_text(str(ANN))

        await sign_in(page, "verified")

        await expect(newest).to_contain_text(str(BOB))
        await page.get_by_role("button", name="Stop").click()


@pytest.mark.browser
async def test_a_token_is_renewed_before_it_ends(browser: Browser, hasty: str):
    async with explorer(browser, hasty) as visit:
        page = visit.page
        sockets: list[WebSocket] = []
        page.on("websocket", lambda socket: sockets.append(socket))  # noqa: PLW0108 - it is marked
        await sign_in(page, "plain")
        await page.get_by_label("Query").fill(WHO)
        async with page.expect_websocket() as opened:
            await page.get_by_role("button", name="Run").click()
        socket = await opened.value

        told = await socket.wait_for_event("framereceived", lambda text: '"renewed"' in str(text))

        assert json.loads(str(told))["payload"]["renewed"] is True
        assert sockets == [socket]
        await expect(page.locator("#state")).to_have_text("Live")
        await page.get_by_role("button", name="Stop").click()
