"""A person from sign-up to freeze: Firebase's REST, the sandbox's product, living sockets."""

import asyncio
import contextlib
import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportError
from gql.transport.websockets import WebsocketsTransport
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from domain.kernel.events import event_cursor, stream_of_user
from domain.kernel.ids import UserId
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import RefusalError, Service
from tests.sandbox.identity.test_second_factors import code_of, enrol_totp, finish
from tests.world import eventually

pytestmark = pytest.mark.xdist_group("sandbox")

EVENTS = """subscription($after: String) {
  accountEvents(after: $after) { type cursor }
}"""
VIEWER = "{ viewer { id email emailVerified roles sessions { id current deviceId } } }"


class Caller:
    """One person's device: a token, a name for the device."""

    def __init__(self, sandbox: Sandbox, token: str, device: str) -> None:
        self._sandbox = sandbox
        self.token = token
        self._device = device

    async def ask(self, query: str, **variables: object) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}", "x-device-id": self._device}
        async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
            return await client.post(
                self._sandbox.addresses["graphql"],
                json={"query": query, "variables": variables},
                headers=headers,
            )

    async def told(self, query: str, **variables: object) -> dict[str, Any]:
        """The data of an answer without errors."""
        answer = (await self.ask(query, **variables)).json()
        assert "errors" not in answer, answer
        return dict(answer["data"])

    async def refusal(self) -> tuple[int, str]:
        """Status and code of an operation that may not run."""
        answer = await self.ask("{ viewer { id } }")
        (error,) = answer.json()["errors"]
        return answer.status_code, error["extensions"]["code"]

    @property
    def init(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "deviceId": self._device}

    @asynccontextmanager
    async def socket(self) -> AsyncIterator[ClientConnection]:
        url = self._sandbox.addresses["graphql_ws"]
        async with connect(url, subprotocols=["graphql-transport-ws"]) as ws:  # type: ignore[list-item]  # a NewType of str
            await ws.send(json.dumps({"type": "connection_init", "payload": self.init}))
            assert json.loads(await ws.recv()) == {"type": "connection_ack"}
            yield ws

    async def events(self, after: str) -> AsyncIterator[dict[str, str]]:
        """What happened after, through the client of the field."""
        transport = WebsocketsTransport(
            url=self._sandbox.addresses["graphql_ws"], init_payload=self.init
        )
        wanted = gql(EVENTS)
        wanted.variable_values = {"after": after}
        async with Client(transport=transport) as session:
            async for result in session.subscribe(wanted):
                yield result["accountEvents"]

    async def streamed(
        self, body: object, last_event_id: str | None = None
    ) -> tuple[str, dict[str, str]]:
        """Id and value of an event stream's first event."""
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {self.token}"}
        if last_event_id is not None:
            headers["last-event-id"] = last_event_id
        lines: dict[str, str] = {}
        url = self._sandbox.addresses["graphql"]
        async with (
            httpx.AsyncClient(timeout=15, trust_env=False) as client,
            client.stream("POST", url, json=body, headers=headers) as answer,
        ):
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                lines[name] = value
                if name == "data":
                    break
        return lines["id"], json.loads(lines["data"])["data"]["accountEvents"]


async def closed(ws: ClientConnection) -> tuple[int | None, str]:
    async with asyncio.timeout(5):
        try:
            async for _ in ws:
                pass
        except ConnectionClosed:
            pass
    return ws.close_code, (ws.close_reason or "").split(":")[0]


@pytest.fixture
def firebase(sandbox: Sandbox) -> Any:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield Service("ours", http)


async def test_a_person_from_sign_up_to_freeze(sandbox: Sandbox, firebase: Service) -> None:
    signed = firebase.sign_up()
    phone = Caller(sandbox, signed["idToken"], "phone-0001")
    before = (await phone.told(VIEWER))["viewer"]
    assert (before["email"], before["emailVerified"]) == (signed["email"], False)
    assert before["roles"] == ["USER"]

    # The address is verified; a refreshed token tells of it.
    firebase.verify(signed)
    phone.token = firebase.refresh(signed["refreshToken"])["id_token"]
    after = (await phone.told(VIEWER))["viewer"]
    assert (after["id"], after["emailVerified"]) == (before["id"], True)

    # A second factor, and a second device that signs in with it.
    fresh = {**firebase.sign_in(signed["email"]), "email": signed["email"]}
    secret, _ = enrol_totp(firebase, fresh)
    pending = firebase.sign_in(signed["email"])
    signed_again = finish(firebase, pending, code_of(firebase, secret, steps=1))
    laptop = Caller(sandbox, signed_again["idToken"], "laptop-0001")
    sessions = (await laptop.told(VIEWER))["viewer"]["sessions"]
    by_device = {session["deviceId"]: session for session in sessions}
    assert sorted(by_device) == ["laptop-0001", "phone-0001"]
    assert by_device["laptop-0001"]["current"] is True

    async with phone.socket() as phones, laptop.socket() as laptops:
        revoke = "mutation($id: ID!) { revokeSession(input: {sessionId: $id}) { __typename } }"
        told = await laptop.told(revoke, id=by_device["phone-0001"]["id"])
        assert told == {"revokeSession": {"__typename": "RevokeSessionSuccess"}}
        assert await closed(phones) == (4403, "SESSION_ENDED")
        assert await phone.refusal() == (401, "SESSION_ENDED")
        assert laptops.close_code is None

        told = await laptop.told("mutation { freezeMyAccount { __typename } }")
        assert told == {"freezeMyAccount": {"__typename": "FreezeMyAccountSuccess"}}
        assert (await closed(laptops))[0] == 4403
    assert await laptop.refusal() == (403, "ACCOUNT_FROZEN")
    # The product told Firebase, through firebase-admin.
    with pytest.raises(RefusalError) as refused:
        firebase.refresh(signed_again["refreshToken"])
    assert refused.value.code == "TOKEN_EXPIRED"


def demo_token(sandbox: Sandbox, user: str, *, second_factor: bool) -> str:
    answer = httpx.post(
        f"{sandbox.addresses['identity_control']}/token",
        json={"user": user, "secondFactor": second_factor},
        headers={"x-okd-control": sandbox.addresses["control_token"]},
        timeout=10,
        trust_env=False,
    )
    answer.raise_for_status()
    return str(answer.json()["idToken"])


async def test_an_administrator_steps_up_for_one_change(
    sandbox: Sandbox, firebase: Service
) -> None:
    target = Caller(sandbox, firebase.sign_up()["idToken"], "phone-0002")
    user_id = (await target.told(VIEWER))["viewer"]["id"]
    grant = """mutation($id: ID!) {
      adminGrantRole(input: {userId: $id, role: DEVELOPER}) {
        __typename ... on StepUpRequired { methods maxAgeSeconds }
      }
    }"""

    plain = Caller(sandbox, demo_token(sandbox, "admin", second_factor=False), "desk-0001")
    asked = (await plain.told(grant, id=user_id))["adminGrantRole"]
    assert asked == {"__typename": "StepUpRequired", "methods": ["totp"], "maxAgeSeconds": 300}
    assert (await target.told(VIEWER))["viewer"]["roles"] == ["USER"]

    proven = Caller(sandbox, demo_token(sandbox, "admin", second_factor=True), "desk-0001")
    async with target.socket() as ws:
        done = (await proven.told(grant, id=user_id))["adminGrantRole"]
        assert done == {"__typename": "AdminGrantRoleSuccess"}
        # At once, though it does nothing: it came with other rights.
        assert await closed(ws) == (4403, "ROLES_CHANGED")
    again = (await proven.told(grant, id=user_id))["adminGrantRole"]
    assert again["__typename"] == "StepUpRequired"  # spent on the first


def beginning(viewer_id: str) -> str:
    """The cursor in front of somebody's first event."""
    user_id = urlsafe_b64decode(viewer_id + "==").decode().removeprefix("User:")
    return event_cursor(stream_of_user(UserId(UUID(user_id))), 0)


def number_of(cursor: str) -> int:
    return int(urlsafe_b64decode(cursor + "==").decode().rpartition(":")[2])


class Follower:
    """A subscriber that comes back with its last cursor, whatever happened to it."""

    def __init__(self, caller: Caller, after: str) -> None:
        self.events: list[tuple[int, str]] = []
        self._caller = caller
        self._after = after

    async def run(self) -> None:
        while True:
            with contextlib.suppress(
                TransportError, WebSocketException, OSError, asyncio.TimeoutError
            ):
                await self._follow()
            await asyncio.sleep(0.05)

    async def until(self, count: int) -> None:
        await eventually(lambda: len(self.events) >= count)

    async def _follow(self) -> None:
        async for event in self._caller.events(self._after):
            self.events.append((number_of(event["cursor"]), event["type"]))
            self._after = event["cursor"]


async def patiently(caller: Caller, query: str, **variables: object) -> None:
    """Ask until it is answered without errors: something was just killed."""

    async def answered() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return "errors" not in (await caller.ask(query, **variables)).json()
        return False

    await eventually(answered)


def alive_again(sandbox: Sandbox, name: str, before: int) -> bool:
    return sandbox.pid_of(name) not in {None, before}


async def test_events_are_exact_whatever_dies(sandbox: Sandbox, firebase: Service) -> None:
    phone = Caller(sandbox, firebase.sign_up()["idToken"], "phone-0003")
    follower = Follower(phone, beginning((await phone.told(VIEWER))["viewer"]["id"]))
    following = asyncio.ensure_future(follower.run())
    change = "mutation($to: Theme!) { updateSettings(input: {theme: $to}) { __typename } }"
    try:
        for number, victim in enumerate(["valkey", "worker", "web", "valkey"], start=3):
            before = await sandbox.kill(victim)
            await patiently(phone, change, to=["DARK", "LIGHT"][number % 2])
            await follower.until(number)
            await eventually(partial(alive_again, sandbox, victim, before))
    finally:
        following.cancel()

    assert follower.events == [
        (1, "user.created"),
        (2, "session.created"),
        *((number, "settings.updated") for number in range(3, 7)),
    ]


async def test_an_event_stream_goes_on_behind_its_last_event(
    sandbox: Sandbox, firebase: Service
) -> None:
    phone = Caller(sandbox, firebase.sign_up()["idToken"], "phone-0004")
    after = beginning((await phone.told(VIEWER))["viewer"]["id"])
    fixed = f'subscription {{ accountEvents(after: "{after}") {{ type cursor }} }}'

    first = await phone.streamed({"query": fixed})
    second = await phone.streamed({"query": fixed}, last_event_id=first[0])
    by_variable = {"query": EVENTS, "variables": {"after": after}}
    third = await phone.streamed(by_variable, last_event_id=first[0])

    assert first[1]["type"] == "user.created"
    assert first[0] == first[1]["cursor"]
    assert second[1]["type"] == third[1]["type"] == "session.created"
    assert number_of(second[0]) == 2
