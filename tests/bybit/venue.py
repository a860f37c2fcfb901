"""A venue on loopback that misbehaves on command, for the streams' tests.

It speaks Bybit's public WebSocket as recorded: acknowledgements with the request's id, refusals of
a whole request, snapshots on subscribing. Everything else a test pushes by hand, or by ``pace``.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from adapters.bybit import BybitAddresses
from domain.market import Source

Json = dict[str, Any]

SNAPSHOT: Json = {
    "lastPrice": "100.5",
    "highPrice24h": "110",
    "lowPrice24h": "90",
    "prevPrice24h": "100",
    "price24hPcnt": "0.005",
    "volume24h": "12",
    "turnover24h": "1206",
    "bid1Price": "100.4",
    "bid1Size": "1",
    "ask1Price": "100.6",
    "ask1Size": "2",
}
BOOK: Json = {"b": [["100.4", "1"]], "a": [["100.6", "2"]], "u": 1, "seq": 1}
T0_MS = 1_786_310_817_583


class ScriptedVenue:
    def __init__(self) -> None:
        self.port = 0
        self.refused: set[str] = set()
        """Topics whose request is refused."""
        self.silent: set[str] = set()
        """Topics that are acknowledged and bring nothing."""
        self.mute = False
        """Take everything, answer nothing, not even pings."""
        self.snapshot_first = False
        """Send snapshots before their acknowledgement."""
        self.without_snapshot: set[str] = set()
        """Topics that begin with a delta."""
        self.pace_seconds: float | None = None
        """Push every followed topic this often."""
        self.asked: list[Json] = []
        self.dials = 0
        self.sockets: dict[ServerConnection, set[str]] = {}
        self.sequences: dict[str, int] = {}
        """The update id of each book topic."""
        self._server: Server | None = None
        self._changed = asyncio.Event()
        self._ticks = 0
        self._tasks = asyncio.TaskGroup()
        self._pacer: asyncio.Task[None] | None = None

    @property
    def addresses(self) -> BybitAddresses:
        base = f"127.0.0.1:{self.port}"
        return BybitAddresses(f"http://{base}", f"ws://{base}", Source.SANDBOX)

    @property
    def followed(self) -> set[str]:
        return set().union(*self.sockets.values())

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        await self.up()
        self._pacer = self._tasks.create_task(self._keep_pace())
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._pacer is not None
        self._pacer.cancel()
        await self.down()
        await self._tasks.__aexit__(None, None, None)

    async def up(self) -> None:
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, ping_interval=None, compression=None
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Nobody listens any more, and every socket breaks without a goodbye."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close(close_connections=False)
        self.cut()
        await server.wait_closed()

    def cut(self) -> None:
        for socket in list(self.sockets):
            socket.transport.abort()

    async def close_all(self, code: int) -> None:
        for socket in list(self.sockets):
            await socket.close(code)

    async def push(self, topic: str, kind: str, data: Json | list[Json]) -> None:
        frame = {"topic": topic, "type": kind, "data": data, "ts": T0_MS + self._ticks}
        self._ticks += 1
        await self.say(frame)

    async def snapshot(self, topic: str) -> None:
        """The whole state of a topic; trades and candles have none."""
        if topic.startswith(("publicTrade", "kline")):
            return
        data = SNAPSHOT
        if topic.startswith("orderbook"):
            self.sequences.setdefault(topic, 1)
            now = self.sequences[topic]
            data = BOOK | {"u": now, "seq": now}
        await self.push(topic, "snapshot", data)

    async def delta(self, topic: str, **changes: object) -> None:
        """The next delta of a book, in sequence unless ``changes`` say otherwise."""
        self.sequences[topic] = self.sequences.get(topic, 1) + 1
        await self.push(topic, "delta", {"b": [], "a": [], "u": self.sequences[topic]} | changes)

    async def tick(self, topic: str) -> None:
        """Whatever this topic says regularly."""
        if topic.startswith("orderbook.1."):
            await self.push(topic, "snapshot", BOOK)
        elif topic.startswith("orderbook"):
            await self.delta(topic, b=[["100.3", f"{1 + self._ticks % 9}"]])
        elif topic.startswith("tickers"):
            await self.push(topic, "delta", {"lastPrice": f"{100 + self._ticks % 50}"})

    async def say(self, frame: object) -> None:
        raw = frame if isinstance(frame, str | bytes) else orjson.dumps(frame).decode()
        for socket in list(self.sockets):
            with suppress(ConnectionClosed):
                await socket.send(raw)

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        """Wait until something that changes with a request or a dial has become true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def requests(self, op: str) -> list[list[str]]:
        return [asked["args"] for asked in self.asked if asked["op"] == op]

    async def _serve(self, socket: ServerConnection) -> None:
        self.dials += 1
        self.sockets[socket] = set()
        self._changed.set()
        try:
            async for raw in socket:
                await self._answer(socket, orjson.loads(raw))
                self._changed.set()
        except ConnectionClosed:
            pass
        finally:
            del self.sockets[socket]
            self._changed.set()

    async def _answer(self, socket: ServerConnection, asked: Json) -> None:
        self.asked.append(asked)
        if self.mute:
            return
        args = asked.get("args", [])
        reply: Json = {"success": True, "ret_msg": "", "op": asked["op"], "req_id": asked["req_id"]}
        fresh: list[str] = []
        if asked["op"] == "ping":
            reply["ret_msg"] = "pong"
        elif asked["op"] == "unsubscribe":
            self.sockets[socket].difference_update(args)
        elif bad := self.refused.intersection(args):
            reply |= {"success": False, "ret_msg": f"error:handler not found,topic:{min(bad)}"}
        elif again := self.sockets[socket].intersection(args):
            reply |= {"success": False, "ret_msg": f"error:already subscribed,topic:{min(again)}"}
        else:
            fresh = args
        if not self.snapshot_first:
            await socket.send(orjson.dumps(reply).decode())
        for topic in fresh:
            self.sockets[socket].add(topic)
            if topic not in self.silent:
                await self._begin(topic)
        if self.snapshot_first:
            await socket.send(orjson.dumps(reply).decode())

    async def _begin(self, topic: str) -> None:
        if topic in self.without_snapshot:
            await self.push(topic, "delta", deltas_of(topic))
        else:
            await self.snapshot(topic)

    async def _keep_pace(self) -> None:
        while True:
            await asyncio.sleep(self.pace_seconds or 0.05)
            if self.pace_seconds is None:
                continue
            for topic in self.followed - self.silent:
                await self.tick(topic)


def deltas_of(topic: str) -> Json:
    """A delta that may come before its snapshot."""
    if topic.startswith("orderbook"):
        return {"b": [["100.3", "1"]], "a": [], "u": 2}
    return {"lastPrice": "1"}


def trade(trade_id: str, **changes: object) -> Json:
    """One row of publicTrade."""
    row: Json = {"T": T0_MS, "s": "AUSDT", "S": "Buy", "v": "0.5", "p": "100.4", "i": trade_id}
    return row | changes


def candle(minute: int = 0, **changes: object) -> Json:
    """One row of kline.1, ``minute`` minutes after the first."""
    start = T0_MS // 60_000 * 60_000 + minute * 60_000
    row: Json = {"start": start, "end": start + 59_999, "interval": "1", "confirm": False}
    prices = {"open": "100", "close": "101", "high": "102", "low": "99"}
    return row | prices | {"volume": "5", "turnover": "505", "timestamp": start} | changes
