"""The fan-out as the product has it: sockets and streams over one execution, both ways out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import orjson
import pytest
import uvicorn
from websockets.asyncio.client import ClientConnection

from adapters.gateway import ConnectionInfo
from adapters.gateway.fanout import protocol
from adapters.gateway.sockets.connection import Connection
from domain.kernel.ids import UserId
from domain.kernel.viewer import ANONYMOUS, Viewer
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.product import CANARY
from tests.gateway.slow import SlowSocket
from tests.gateway.test_events import each_event, stream
from tests.gateway.test_gateway_socket import close_code, subscribe
from tests.gateway.test_slow_readers import STALL, serving_slowly, until_stuck
from tests.world import eventually

PRICE = 'subscription { price(symbol: "BTC") }'


@pytest.fixture
async def world(way: str) -> AsyncIterator[World]:
    del way
    async with serving() as world:
        yield world


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Connection]:
    """Every connection that is served from now on."""
    seen: list[Connection] = []
    begun = Connection.__init__

    def remembering(self: Connection, *given: Any) -> None:
        seen.append(self)
        begun(self, *given)

    monkeypatch.setattr(Connection, "__init__", remembering)
    return seen


def shown(world: World, name: str) -> float:
    lines = world.metrics.exposition().decode().splitlines()
    [found] = [line for line in lines if line.startswith(f"{name} ")]
    return float(found.split()[1])


async def frame_of(ws: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(10):
        found: dict[str, Any] = orjson.loads(await ws.recv())
    return found


async def price_of(ws: ClientConnection) -> int:
    frame = await frame_of(ws)
    assert frame["type"] == "next", frame
    price: int = frame["payload"]["data"]["price"]
    return price


async def joined(world: World, members: int) -> None:
    await eventually(lambda: shown(world, "okd_subscription_group_members") == members)


async def test_equal_subscriptions_are_one_execution_without_tasks(world: World) -> None:
    async with AsyncExitStack() as stack:
        sockets = [await stack.enter_async_context(world.socket()) for _ in range(10)]
        tasks = len(asyncio.all_tasks())
        for ws in sockets:
            for number in range(5):
                await subscribe(ws, PRICE, str(number))
        await joined(world, 50)
        await eventually(lambda: world.stage.streams_open == 1)
        assert world.stage.shared_begun == 1
        # One for the group; nothing for any of the fifty.
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks + 1)
        assert shown(world, "okd_subscriptions") == 50

        world.stage.queue("BTC").put_nowait(7)
        for ws in sockets:
            frames = [await frame_of(ws) for _ in range(5)]
            assert sorted(f["id"] for f in frames) == ["0", "1", "2", "3", "4"]
            assert {f["payload"]["data"]["price"] for f in frames} == {7}
        assert shown(world, "okd_deliveries_total") == 50
        assert shown(world, "okd_group_executions_total") == 1
    await eventually(lambda: shown(world, "okd_subscription_groups") == 0)
    await eventually(lambda: shown(world, "okd_subscriptions") == 0)
    await eventually(lambda: world.stage.streams_open == 0)


async def test_sockets_and_event_streams_share(world: World) -> None:
    async with world.socket() as ws, stream(world, PRICE) as answer:
        await subscribe(ws, PRICE)
        await joined(world, 2)
        world.stage.queue("BTC").put_nowait(5)
        events = each_event(answer)

        assert await price_of(ws) == 5
        assert await anext(events) == ("next", {"data": {"price": 5}})
        world.stage.queue("BTC").put_nowait(0)
        assert await anext(events) == ("complete", None)
        assert (await frame_of(ws))["type"] == "complete"
    assert world.stage.shared_begun == 1
    await joined(world, 0)


async def test_values_never_go_back_and_the_first_is_the_current_one(world: World) -> None:
    queue = world.stage.queue("BTC")
    async with world.socket() as early, world.socket() as late:
        await subscribe(early, PRICE)
        await joined(world, 1)
        for number in range(1, 200):
            queue.put_nowait(number)
        seen = [await price_of(early)]
        await subscribe(late, PRICE)
        while seen[-1] != 199:
            seen.append(await price_of(early))

        first = await price_of(late)
        assert first >= seen[0]
        while first != 199:
            newer = await price_of(late)
            assert newer > first
            first = newer
    assert seen == sorted(set(seen))


async def test_what_is_shared_serves_nobody_and_what_is_private_is_ones_own(way: str) -> None:
    del way

    async def identify(connection: ConnectionInfo) -> Viewer:
        number = connection.parameters.get("user")
        return Viewer(UserId(UUID(int=int(str(number))))) if number else ANONYMOUS

    async with serving(identify=identify) as world, AsyncExitStack() as stack:
        sockets = []
        for user in (1, 2, 3):
            ws = await stack.enter_async_context(world.raw_socket())
            init = {"type": "connection_init", "payload": {"user": user}}
            await ws.send(orjson.dumps(init).decode())
            await ws.recv()
            await subscribe(ws, "subscription { sharedWhoami }", "shared")
            await subscribe(ws, "subscription { privateWhoami }", "private")
            sockets.append(ws)

        for user, ws in enumerate(sockets, start=1):
            seen: dict[str, set[str]] = {"shared": set(), "private": set()}
            for _ in range(40):
                frame = await frame_of(ws)
                seen[frame["id"]] |= set(frame["payload"]["data"].values())
            assert seen == {"shared": {"None"}, "private": {str(UUID(int=user))}}
        assert world.stage.shared_begun == 1 + 3


@pytest.mark.provokes(CANARY)
async def test_a_refusal_is_its_own_and_a_failure_is_everybodys(world: World, logs: Logs) -> None:
    async with world.socket() as one, world.socket() as other:
        await subscribe(one, 'subscription { price(symbol: "BTC", fails: "user") }', "refused")
        refused = await frame_of(one)
        assert (refused["type"], refused["id"]) == ("error", "refused")
        assert refused["payload"][0]["extensions"]["code"] == "UNKNOWN_INSTRUMENT"

        for ws in (one, other):
            await subscribe(ws, PRICE)
        await joined(world, 2)
        world.stage.queue("BTC").put_nowait(-1)
        frames = [await frame_of(ws) for ws in (one, other)]
        assert {frame["type"] for frame in frames} == {"error"}
        assert {f["payload"][0]["extensions"]["code"] for f in frames} == {"INTERNAL"}

        await subscribe(one, PRICE)  # the id is free, the group begins anew
        await joined(world, 1)
        world.stage.queue("BTC").put_nowait(3)
        assert await price_of(one) == 3
    assert len(logs.events("operation_crashed")) == 1


async def test_complete_leaves_the_group_and_only_that(world: World) -> None:
    async with world.socket() as ws:
        for operation_id in ("stays", "goes"):
            await subscribe(ws, PRICE, operation_id)
        await joined(world, 2)
        await ws.send('{"type":"complete","id":"goes"}')
        await joined(world, 1)
        for number in (1, 2):
            world.stage.queue("BTC").put_nowait(number)
            frame = await frame_of(ws)
            assert (frame["id"], frame["payload"]["data"]["price"]) == ("stays", number)


async def test_groups_of_one_socket_are_capped(way: str) -> None:
    del way
    async with serving(subscription_groups_per_socket=2) as world, world.socket() as ws:
        for symbol in ("A", "B", "C"):
            await subscribe(ws, f'subscription {{ price(symbol: "{symbol}") }}', symbol)
        frame = await frame_of(ws)
        assert (frame["type"], frame["id"]) == ("error", "C")
        assert frame["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        await subscribe(ws, 'subscription { price(symbol: "A") }', "again")
        await joined(world, 3)


async def test_groups_of_one_address_are_capped_over_all_its_sockets(way: str) -> None:
    del way
    async with (
        serving(subscription_groups_per_caller=2) as world,
        world.socket() as first,
        world.socket() as second,
    ):
        await subscribe(first, 'subscription { price(symbol: "A") }', "A")
        await joined(world, 1)
        await subscribe(second, 'subscription { price(symbol: "B") }', "B")
        await joined(world, 2)
        await subscribe(second, 'subscription { price(symbol: "C") }', "C")
        frame = await frame_of(second)
        assert (frame["type"], frame["id"]) == ("error", "C")
        assert frame["payload"][0]["extensions"]["code"] == "TOO_MANY_SUBSCRIPTIONS"
        assert frame["payload"][0]["message"].startswith("All connections of one account")
        await first.send('{"type":"complete","id":"A"}')
        await joined(world, 1)
        await subscribe(second, 'subscription { price(symbol: "C") }', "again")
        await joined(world, 2)


async def test_operations_in_groups_count_against_the_sockets_limit(way: str) -> None:
    del way
    async with serving(socket_operations_max=3) as world, world.socket() as ws:
        for number in range(4):
            await subscribe(ws, PRICE, str(number))
        frame = await frame_of(ws)
        assert (frame["type"], frame["id"]) == ("error", "3")
        await ws.send('{"type":"complete","id":"0"}')
        await subscribe(ws, PRICE, "4")
        await eventually(lambda: shown(world, "okd_subscription_group_members") == 3)


async def test_a_group_never_waits_for_who_does_not_read(
    way: str, logs: Logs, connections: list[Connection]
) -> None:
    """Two of ten do not read; the eight get every value, and what is kept is bounded."""
    del way
    long = "x" * 2000
    text = f'subscription {{ {"p" + long}: price(symbol: "BTC") }}'  # values as long as their alias
    async with serving_slowly(stream_stall_seconds=60) as world, AsyncExitStack() as stack:
        slow = [stack.enter_context(await SlowSocket.open(world.url)) for _ in range(2)]
        for one in slow:
            await one.send({"id": "1", "type": "subscribe", "payload": {"query": text}})
        readers = [await stack.enter_async_context(world.socket()) for _ in range(8)]
        for ws in readers:
            await subscribe(ws, text)
        await joined(world, 10)
        for number in range(1, 1501):
            world.stage.queue("BTC").put_nowait(number)
            for ws in readers:
                frame = await frame_of(ws)
                assert frame["payload"]["data"] == {"p" + long: number}

        assert shown(world, "okd_deliveries_conflated_total") > 500
        # One value each of the two, beside the one that is with the transport.
        kept = sorted(connection._outbox.bytes_kept for connection in connections)
        assert kept[:8] == [0] * 8
        assert all(2000 < size < 2200 for size in kept[8:])
        for one in slow:  # order, and the newest at last
            seen = [0]
            while seen[-1] != 1500:
                seen.append(
                    next(iter(orjson.loads(await one.message())["payload"]["data"].values()))
                )
            assert seen == sorted(set(seen))
    assert "Traceback" not in logs.text


async def test_a_private_reader_too_slow_has_to_resume(way: str) -> None:
    del way
    async with serving_slowly(**STALL) as world:
        with await SlowSocket.open(world.url) as slow:
            query = "subscription { privateFlood(size: 10000) }"
            await slow.send({"id": "1", "type": "subscribe", "payload": {"query": query}})
            await until_stuck(world)
            closed = 'okd_websocket_closes_total{code="4412"} 1.0'
            await eventually(lambda: closed in world.metrics.exposition().decode())
            assert world.stage.streams_open == 0
            assert await slow.close_code() == 4412


async def test_a_storm_is_let_in_evenly_and_recovers_by_itself(way: str) -> None:
    del way
    limits: dict[str, Any] = {
        "socket_opens_per_second": 100,
        "socket_opens_burst": 10,
        "sockets_per_address": 200,
    }
    async with serving(**limits) as world, world.socket() as steady:
        await subscribe(steady, PRICE)
        await joined(world, 1)
        for _ in range(2):
            async with AsyncExitStack() as stack:
                opening = asyncio.gather(
                    *(stack.enter_async_context(world.socket()) for _ in range(60))
                )
                served = 0
                while not opening.done():  # prices flow meanwhile
                    served += 1
                    world.stage.queue("BTC").put_nowait(served)
                    assert await price_of(steady) == served
                    await asyncio.sleep(0.01)
                assert served > 10
                for ws in await opening:
                    await subscribe(ws, PRICE)
                await joined(world, 61)
            await joined(world, 1)
    assert world.stage.shared_begun == 1


async def test_who_would_wait_too_long_is_told_to_come_back() -> None:
    limits: dict[str, Any] = {
        "socket_opens_per_second": 0.1,
        "socket_opens_burst": 1,
        "socket_open_wait_seconds": 1,
    }
    async with serving(**limits) as world, world.socket():
        answer = await world.client.get(
            "/graphql",
            headers={
                "connection": "upgrade",
                "upgrade": "websocket",
                "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA==",
                "sec-websocket-version": "13",
                "sec-websocket-protocol": "graphql-transport-ws",
            },
        )
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert 'okd_refused_total{reason="pace"} 1.0' in world.metrics.exposition().decode()


async def test_a_contract_that_does_not_hold_is_one_warning_and_the_ordinary_way(
    logs: Logs, monkeypatch: pytest.MonkeyPatch, connections: list[Connection]
) -> None:
    monkeypatch.setattr(uvicorn, "__version__", "0.99.0")
    for cached in (protocol._contract_holds, protocol._warn):
        cached.cache_clear()
    try:
        async with serving() as world, world.socket() as one, world.socket() as other:
            for ws in (one, other):
                await subscribe(ws, PRICE)
            await joined(world, 2)
            world.stage.queue("BTC").put_nowait(1)
            assert [await price_of(ws) for ws in (one, other)] == [1, 1]
            await one.send("garbage")
            assert await close_code(one) == 4400
    finally:
        for cached in (protocol._contract_holds, protocol._warn):
            cached.cache_clear()

    assert [connection._socket.direct for connection in connections] == [False, False]
    assert len(logs.events("direct_writes_off")) == 1
