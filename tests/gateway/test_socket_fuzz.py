"""Frames by the thousand, from nonsense to almost right, beside a neighbour who must not notice.

Every case is a socket of its own: some good frames, then a mutated one. 200 cases in the normal
run, 5000 with ``./dev test --long``; OKD_FUZZ_SEED repeats one.
"""

import asyncio
import gc
import os
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tests.gateway.conftest import Logs, World, serving
from tests.gateway.product import CANARY
from tests.gateway.test_gateway_socket import subscribe
from tests.world import eventually

SEED = int(os.environ.get("OKD_FUZZ_SEED", "20261122"))
AT_ONCE = 8

# What a hostile or broken client may earn. Nothing else: not 1006, not 1011.
EARNED = {1000, 1007, 1009, 4400, 4401, 4409, 4429}
ATOMS: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**53, "", "x", "é\u2028\U0001f600", "\x00", "1" * 300,
    [], {}, [[]], {"": None}, [None] * 50,
]  # fmt: skip
DOCUMENTS = [
    "{ hello }",
    "subscription { count(to: 3) }",
    "subscription { count(to: 100000, every: 0.01) }",
    "mutation { touch }",
    '{ boom(kind: "user") }',
    "{ helo }",
    "{ hello(",
    "query($n: String!) { hello(name: $n) }",
    "subscription { brokenStart }",
    "{" * 3000,
    "#" * 5000,
    "",
]


class Mutator:
    """Frames from a seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # no secret

    def case(self) -> list[str | bytes]:
        return [self._frame() for _ in range(self._dice.randint(1, 6))]

    def _frame(self) -> str | bytes:
        makers: list[Callable[[], str | bytes]] = [
            self._good, self._good, self._good, self._mutated, self._mutated, self._cut,
            self._text, self._bytes, self._deep, self._long,
        ]  # fmt: skip
        return self._dice.choice(makers)()

    def _message(self) -> dict[str, Any]:
        kind = self._dice.choice(
            ["connection_init", "ping", "pong", "subscribe", "subscribe", "subscribe", "complete"]
        )
        message: dict[str, Any] = {"type": kind}
        if kind in ("subscribe", "complete"):
            message["id"] = self._dice.choice(["a", "b", "é", "i" * 128])
        if kind == "subscribe":
            message["payload"] = {"query": self._dice.choice(DOCUMENTS)}
        elif self._dice.random() < 0.3:
            message["payload"] = {"a": self._dice.choice(ATOMS)}
        return message

    def _good(self) -> str:
        return orjson.dumps(self._message()).decode()

    def _mutated(self) -> str:
        """An atom where something was, or a field nobody knows."""
        message = self._message()
        target: dict[str, Any] = message
        if isinstance(message.get("payload"), dict) and self._dice.random() < 0.5:
            target = message["payload"]
        names = [*target, "query", "variables", "operationName", "extensions", "documentId", "x"]
        name = self._dice.choice(names)
        if self._dice.random() < 0.3:
            target.pop(name, None)
        else:
            target[name] = self._dice.choice(ATOMS)
        return orjson.dumps(message).decode()

    def _cut(self) -> str:
        whole = self._good()
        return whole[: self._dice.randrange(len(whole))]

    def _text(self) -> str:
        return self._dice.choice(
            ["null", "[]", "1e999", "-0", "NaN", '"\\ud800"', "1" * 5000, "\ufeff{}", "{}" * 9]
        )

    def _bytes(self) -> bytes:
        return self._dice.randbytes(self._dice.randint(0, 60))

    def _deep(self) -> str:
        depth = self._dice.choice([100, 1023, 1025, 30_000])
        opening, closing = self._dice.choice([("[", "]"), ('{"a":', "}")])
        if depth * len(opening + closing) > 60_000:
            return opening * (60_000 // len(opening))
        return opening * depth + ("1" if "a" in opening else "") + closing * depth

    def _long(self) -> str:
        return "x" * self._dice.choice([65_536, 65_537, 70_000])


async def attack(world: World, frames: list[str | bytes], *, init: bool) -> int | None:
    """Send a case; returns the code the server closed with, None when it had no objection."""
    opened = world.socket() if init else world.raw_socket()
    async with opened as ws:
        reading = asyncio.ensure_future(drained(ws))
        try:
            for frame in frames:
                await ws.send(frame)
            await ws.send('{"type":"ping","payload":{"end":true}}')
        except ConnectionClosed:
            pass
        return await reading


async def drained(ws: ClientConnection) -> int | None:
    """Read to the pong of the last ping or to the end; every frame must be sound."""
    try:
        while True:
            frame = orjson.loads(await ws.recv())
            assert frame["type"] in ("next", "error", "complete", "ping", "pong", "connection_ack")
            if frame == {"type": "pong", "payload": {"end": True}}:
                return None
    except ConnectionClosed:
        return ws.close_code


class Neighbour:
    """A subscriber who must get every value in order, whatever happens beside."""

    def __init__(self) -> None:
        self.last = -1

    async def watch(self, ws: ClientConnection) -> None:
        await subscribe(ws, "subscription { count(to: 100000000, every: 0.01) }")
        async for text in ws:
            frame = orjson.loads(text)
            if frame["type"] == "next":
                assert frame["payload"]["data"]["count"] == self.last + 1
                self.last += 1
            else:
                assert frame["type"] == "ping"


async def fuzz(world: World, cases: int, seed: int) -> dict[int | None, int]:
    """Run the cases, a few at a time; counts the ways they ended."""
    mutator = Mutator(seed)
    ends: dict[int | None, int] = {}
    made = iter([mutator.case() for _ in range(cases)])

    async def attacker(number: int) -> None:
        for place, frames in enumerate(made):
            code = await attack(world, frames, init=(place + number) % 5 != 0)
            assert code is None or code in EARNED, (code, frames)
            ends[code] = ends.get(code, 0) + 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(AT_ONCE):
            tasks.create_task(attacker(number))
    return ends


async def survive(logs: Logs, cases: int) -> None:
    async with serving() as world, world.socket() as ws:
        neighbour = Neighbour()
        watching = asyncio.ensure_future(neighbour.watch(ws))
        await eventually(lambda: neighbour.last >= 0)
        await fuzz(world, 40, SEED + 1)  # what is made once is made now
        await eventually(lambda: world.stage.streams_open == 1)
        tasks = len(asyncio.all_tasks())
        gc.collect()
        objects = len(gc.get_objects())
        seen = neighbour.last
        world.stage.contexts.clear()

        ends = await fuzz(world, cases, SEED)

        await eventually(lambda: world.stage.streams_open == 1)
        await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
        shown = world.metrics.exposition().decode()
        await eventually(lambda: neighbour.last > seen + 10)
        assert not watching.done()
        watching.cancel()
        world.stage.contexts.clear()
        gc.collect()
        grown = len(gc.get_objects()) - objects

    assert sum(ends.values()) == cases
    assert {4400, 4401, None} <= ends.keys()
    assert "okd_websocket_connections 1.0" in shown
    assert "okd_subscriptions 1.0" in shown
    # Log lines are kept by the test; what each case leaves would be thousands of objects.
    assert grown < 2000 + cases
    tracebacks = [
        e for e in logs.events() if "exception" in e and e["event"] != "operation_crashed"
    ]
    assert tracebacks == []  # `brokenStart` crashes on purpose
    assert "Task was destroyed" not in logs.text
    assert "socket.send() raised" not in logs.text


@pytest.mark.provokes(CANARY, always=False)
async def test_two_hundred_hostile_sockets_and_a_neighbour(logs: Logs) -> None:
    await survive(logs, 200)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_five_thousand_hostile_sockets_and_a_neighbour(logs: Logs) -> None:
    await survive(logs, 5000)
