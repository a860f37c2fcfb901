"""Sockets of people who signed in: let in, renewed, looked at again, sent away."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from adapters.gateway.access import Access
from domain.kernel.errors import UserError
from domain.kernel.failures import Failure, TimedOut, Unavailable
from domain.kernel.viewer import Role
from domain.users.errors import AccountFrozen, SessionEnded, TokenExpired, TokenInvalid
from domain.users.model import Client, SignIn
from tests.gateway.callers import ANN, BOB, BOBS, RENEWED, TOKEN, Door, session_of
from tests.gateway.conftest import Logs, World, serving
from tests.world import eventually

_CLIENT = Client("192.0.2.7", "OKD/1.0", None)
ENDLESS = "subscription { count(to: 100000, every: 0.05) }"


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[tuple[World, Door, Access]]:
    door = Door()
    access = door.access()
    async with serving(identify=door.identity().identify, access=access) as world:
        yield world, door, access


@pytest.fixture
def door(served: tuple[World, Door, Access]) -> Door:
    fresh, door = Door(), served[1]
    vars(door).update(vars(fresh))
    return door


@pytest.fixture
def access(served: tuple[World, Door, Access]) -> Access:
    return served[2]


@pytest.fixture
def world(served: tuple[World, Door, Access]) -> World:
    served[0].stage.contexts.clear()
    return served[0]


async def signed_in(door: Door) -> SignIn:
    found = await door.verify(TOKEN)
    assert isinstance(found, SignIn)
    return found


async def say(ws: ClientConnection, **message: Any) -> None:
    await ws.send(orjson.dumps(message).decode())


async def heard(ws: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind; others are passed over."""
    while True:
        message = orjson.loads(await asyncio.wait_for(ws.recv(), 5))
        if message["type"] == kind:
            assert isinstance(message, dict)
            return message


async def enter(ws: ClientConnection, token: str | None = TOKEN, **more: Any) -> None:
    authorization = {} if token is None else {"authorization": f"Bearer {token}"}
    await say(ws, type="connection_init", payload={**authorization, **more})
    assert await heard(ws, "connection_ack") == {"type": "connection_ack"}


async def closed(ws: ClientConnection) -> tuple[int | None, str]:
    """Code and reason, once the server has closed."""
    async with asyncio.timeout(5):
        try:
            async for _ in ws:
                pass
        except ConnectionClosed:
            pass
    return ws.close_code, ws.close_reason or ""


async def renew(ws: ClientConnection, token: str) -> dict[str, Any]:
    await say(ws, type="ping", payload={"authorization": f"Bearer {token}"})
    answer = await heard(ws, "pong")
    assert "eyJ" not in str(answer)
    payload = answer["payload"]
    assert isinstance(payload, dict)
    return payload


async def ask(ws: ClientConnection, operation_id: str = "q") -> dict[str, Any]:
    await say(ws, type="subscribe", id=operation_id, payload={"query": "{ hello }"})
    while True:
        message = orjson.loads(await asyncio.wait_for(ws.recv(), 5))
        if message.get("id") == operation_id:
            assert isinstance(message, dict)
            return message


@pytest.mark.parametrize("name", ["authorization", "Authorization"])
async def test_the_payload_says_who_it_is(
    world: World, door: Door, access: Access, name: str
) -> None:
    async with world.raw_socket() as ws:
        await say(
            ws,
            type="connection_init",
            payload={name: f"Bearer {TOKEN}", "deviceId": "phone-0001", "theme": "dark"},
        )
        await heard(ws, "connection_ack")
        await ask(ws)

        (made,) = world.stage.contexts
        assert made.viewer.user_id == ANN
        # Who runs operations never sees the token.
        assert made.connection.parameters == {"deviceId": "phone-0001", "theme": "dark"}
        assert [client.device_id for client in door.clients] == ["phone-0001"]
        assert access.stays == 1
    await eventually(lambda: access.stays == 0)


async def test_the_handshake_may_say_it_and_the_payload_goes_before(
    world: World, door: Door
) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with world.raw_socket(additional_headers=headers) as ws:
        await enter(ws, None)
        await ask(ws)
    async with world.raw_socket(additional_headers=headers) as ws:
        await enter(ws, BOBS)
        await ask(ws)
    assert [made.viewer.user_id for made in world.stage.contexts] == [ANN, BOB]


@pytest.mark.parametrize("payload", [None, {}, {"authorization": None}])
async def test_without_a_token_it_is_nobody(
    world: World, door: Door, access: Access, payload: object
) -> None:
    async with world.raw_socket() as ws:
        await say(ws, type="connection_init", payload=payload)
        await heard(ws, "connection_ack")
        await ask(ws)
        assert access.stays == 0
    assert [made.viewer.user_id for made in world.stage.contexts] == [None]
    assert door.asked_again == 0


@pytest.mark.parametrize(
    "payload",
    [
        {"authorization": "Bearer nonsense"},
        {"authorization": TOKEN},
        {"authorization": ""},
        {"authorization": 7},
        {"authorization": ["Bearer x"]},
        {"authorization": f"Bearer {TOKEN}", "Authorization": f"Bearer {TOKEN}"},
        {"authorization": "Bearer " + "x" * 60_000},
    ],
    ids=lambda payload: str(payload)[:40],
)
async def test_a_bad_token_is_never_nobody(
    world: World, door: Door, access: Access, payload: dict[str, object], logs: Logs
) -> None:
    async with world.raw_socket() as ws:
        await say(ws, type="connection_init", payload=payload)
        code, reason = await closed(ws)

    assert (code, reason.split(":")[0]) == (4403, "TOKEN_INVALID")
    assert (access.stays, world.stage.contexts) == (0, [])
    assert "canary-signature" not in logs.text


@pytest.mark.parametrize(
    ("refused", "code", "reason"),
    [
        (TokenExpired(), 4403, f"TOKEN_EXPIRED: {TokenExpired().message}"),
        (SessionEnded(), 4403, f"SESSION_ENDED: {SessionEnded().message}"),
        (AccountFrozen(), 4403, f"ACCOUNT_FROZEN: {AccountFrozen().message}"),
        (Unavailable("identity service"), 1013, Unavailable("identity service").message),
        (TimedOut("database"), 1013, TimedOut("database").message),
    ],
)
async def test_who_may_not_come_in_is_told_why(
    world: World, door: Door, refused: UserError | Failure, code: int, reason: str
) -> None:
    door.refused = refused
    async with world.raw_socket() as ws:
        await say(ws, type="connection_init", payload={"authorization": f"Bearer {TOKEN}"})
        assert await closed(ws) == (code, reason)


async def test_a_socket_ends_when_its_token_does(world: World, door: Door, access: Access) -> None:
    door.life_seconds = 0.3
    async with world.raw_socket() as ws:
        await enter(ws)
        await say(ws, type="subscribe", id="1", payload={"query": ENDLESS})
        await heard(ws, "next")
        code, reason = await closed(ws)

    assert (code, reason) == (4403, f"TOKEN_EXPIRED: {TokenExpired().message}")
    await eventually(lambda: (access.stays, world.stage.streams_open) == (0, 0))


async def test_a_newer_token_keeps_it_open(world: World, door: Door, access: Access) -> None:
    door.life_seconds = 0.4
    async with world.raw_socket() as ws:
        await enter(ws)
        await say(ws, type="subscribe", id="1", payload={"query": ENDLESS})
        door.life_seconds = 3600.0
        told = await renew(ws, RENEWED)
        await asyncio.sleep(0.5)  # past the end of the first
        await heard(ws, "next")

        assert told["renewed"] is True
        assert sorted(told) == ["expiresAt", "renewed"]
        assert access.stays == 1


@pytest.mark.parametrize(
    ("token", "refused", "code"),
    [
        (BOBS, None, "FORBIDDEN"),
        ("nonsense", None, "TOKEN_INVALID"),
        (RENEWED, AccountFrozen(), "ACCOUNT_FROZEN"),
        (RENEWED, Unavailable("identity service"), "UNAVAILABLE"),
    ],
)
async def test_a_token_that_is_no_renewal_changes_nothing(
    world: World, door: Door, token: str, refused: UserError | Failure | None, code: str
) -> None:
    async with world.raw_socket() as ws:
        await enter(ws)
        door.refused = refused
        told = await renew(ws, token)
        await ask(ws)

    assert (told["renewed"], told["code"]) == (False, code)
    assert [made.viewer.user_id for made in world.stage.contexts] == [ANN]


async def test_nobody_becomes_nobody_else(world: World, door: Door) -> None:
    async with world.raw_socket() as ws:
        assert (await renew(ws, TOKEN))["code"] == "UNAUTHENTICATED"  # before the handshake, too
        await enter(ws, None)
        assert (await renew(ws, TOKEN))["code"] == "UNAUTHENTICATED"
        await ask(ws)
    assert [made.viewer.user_id for made in world.stage.contexts] == [None]


async def test_only_whose_access_ended_is_sent_away(
    world: World, door: Door, access: Access
) -> None:
    async with world.raw_socket() as anns, world.raw_socket() as bobs, world.raw_socket() as other:
        await enter(anns)
        await enter(bobs, BOBS)
        await enter(other, None)
        access.ended(ANN, {session_of(BOB)})
        assert access.stays == 2
        access.ended(ANN, {session_of(ANN)})

        assert await closed(anns) == (4403, f"SESSION_ENDED: {SessionEnded().message}")
        assert (await ask(bobs))["type"] == "next"
        assert (await ask(other))["type"] == "next"
        access.ended(BOB, None)
        assert (await closed(bobs))[0] == 4403


async def test_each_operation_asks_who_it_is_now(world: World, door: Door, access: Access) -> None:
    """Without any signal: the database alone has changed."""
    async with world.raw_socket() as ws:
        await enter(ws)
        assert (await ask(ws, "1"))["type"] == "next"
        door.ended.add(session_of(ANN))
        await say(ws, type="subscribe", id="2", payload={"query": "{ hello }"})
        assert await closed(ws) == (4403, f"SESSION_ENDED: {SessionEnded().message}")

    assert len(world.stage.contexts) == 1


async def test_who_has_other_rights_now_connects_anew(
    world: World, door: Door, access: Access
) -> None:
    door.roles = frozenset({Role.USER, Role.SUPPORT})
    async with world.raw_socket() as ws:
        await enter(ws)
        door.roles = frozenset({Role.USER})
        await say(ws, type="subscribe", id="1", payload={"query": "{ hello }"})
        code, reason = await closed(ws)

    assert (code, reason.split(":")[0]) == (4403, "ROLES_CHANGED")
    assert world.stage.contexts == []


async def test_changed_roles_send_away_who_does_nothing(
    world: World, door: Door, access: Access
) -> None:
    async with world.raw_socket() as anns, world.raw_socket() as bobs:
        await enter(anns)
        await enter(bobs, BOBS)
        access.changed(ANN)
        code, reason = await closed(anns)
        await say(bobs, type="ping")
        await heard(bobs, "pong")

    assert (code, reason.split(":")[0]) == (4403, "ROLES_CHANGED")
    assert door.asked_again == 0


async def test_other_rights_are_not_renewed_into(world: World, door: Door) -> None:
    door.roles = frozenset({Role.USER, Role.SUPPORT})
    async with world.raw_socket() as ws:
        await enter(ws)
        await say(ws, type="subscribe", id="1", payload={"query": ENDLESS})
        await heard(ws, "next")
        door.roles = frozenset({Role.USER})
        await say(ws, type="ping", payload={"authorization": f"Bearer {RENEWED}"})
        code, reason = await closed(ws)

    # What runs was begun with the rights of before.
    assert (code, reason.split(":")[0]) == (4403, "ROLES_CHANGED")
    await eventually(lambda: world.stage.streams_open == 0)


async def test_a_session_that_ended_while_it_was_renewed_is_sent_away(
    world: World, door: Door
) -> None:
    async with world.raw_socket() as ws:
        await enter(ws)
        door.ended.add(session_of(ANN))
        await say(ws, type="ping", payload={"authorization": f"Bearer {RENEWED}"})
        code, reason = await closed(ws)

    assert (code, reason) == (4403, f"SESSION_ENDED: {SessionEnded().message}")


async def test_an_operation_that_cannot_be_asked_about_fails_alone(
    world: World, door: Door
) -> None:
    async with world.raw_socket() as ws:
        await enter(ws)
        door.failing = Unavailable("database")
        answer = await ask(ws, "1")
        door.failing = None

        assert answer["type"] == "error"
        assert answer["payload"][0]["extensions"]["code"] == "UNAVAILABLE"
        assert (await ask(ws, "2"))["type"] == "next"


async def test_in_doubt_everybody_is_looked_at(world: World, door: Door, access: Access) -> None:
    looking = asyncio.ensure_future(access.run())
    try:
        async with world.raw_socket() as anns, world.raw_socket() as bobs:
            await enter(anns)
            await enter(bobs, BOBS)
            door.ended.add(session_of(ANN))
            access.doubt()

            assert (await closed(anns))[0] == 4403
            assert (await ask(bobs))["type"] == "next"
    finally:
        looking.cancel()


async def test_a_database_that_is_away_sends_nobody_away(door: Door) -> None:
    access = door.access(look_every_seconds=0.01)
    ends: list[UserError] = []
    viewer = await door.viewer(await signed_in(door), _CLIENT)
    stay = access.begin(viewer, ends.append)
    door.failing = Unavailable("database")
    looking = asyncio.ensure_future(access.run())
    await eventually(lambda: door.asked_again > 0)

    assert (ends, access.stays, looking.done()) == ([], 1, False)
    stay.leave()
    looking.cancel()


async def test_a_stay_ends_once_and_never_after_it_was_left(door: Door) -> None:
    access = door.access()
    ends: list[UserError] = []
    viewer = await door.viewer(await signed_in(door), _CLIENT)
    first, second = (access.begin(viewer, ends.append) for _ in range(2))
    second.leave()
    first.end(SessionEnded())
    first.end(TokenInvalid())
    second.end(SessionEnded())

    assert ends == [SessionEnded()]
    assert access.stays == 0
