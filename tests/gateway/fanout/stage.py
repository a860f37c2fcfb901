"""The product's schema over a market whose values a test pushes, and sinks that remember."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLFormattedError

from adapters.gateway.fanout.callers import Caller
from adapters.gateway.fanout.execution import Execution
from adapters.gateway.fanout.groups import GroupLimits, Groups, Membership
from adapters.gateway.fanout.plan import Plan, Planner
from adapters.gateway.fanout.sink import Encoded, FormattedErrors
from domain.kernel.cursor import CursorSigner
from domain.kernel.viewer import ANONYMOUS, Viewer
from domain.market import Catalogue, Follow, MarketData, OrderBooks, Tape, Update, topic_of
from domain.status import StatusBoard
from resolvers.context import Context, Services, context_for
from schema import build_schema
from tests.domain.doubles import KnownMarket, ListedInstruments, ManualClock, Venue, instrument

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
SCHEMA = build_schema()


class PushedMarket(KnownMarket):
    """Watchers get what is known, then what is pushed; None ends them, an exception fails them."""

    def __init__(self, *known: Update) -> None:
        super().__init__(*known)
        self.open: list[tuple[Follow, asyncio.Queue[Update | Exception | None]]] = []

    async def watch(self, follow: Follow) -> AsyncGenerator[Update, None]:
        self.watched.append(follow)
        queue: asyncio.Queue[Update | Exception | None] = asyncio.Queue()
        place = (follow, queue)
        self.open.append(place)
        try:
            if follow.topic in self.known:
                yield self.known[follow.topic]
            while (update := await queue.get()) is not None:
                if isinstance(update, Exception):
                    raise update
                yield update
        finally:
            self.open.remove(place)

    def push(self, update: Update) -> None:
        topic = topic_of(update)
        self.known[topic] = update
        for follow, queue in self.open:
            if follow.topic == topic:
                queue.put_nowait(update)

    def end(self, symbol: str, error: Exception | None = None) -> None:
        for follow, queue in self.open:
            if follow.topic.instrument.symbol == symbol:
                queue.put_nowait(error)


class Remembering:
    """A sink that keeps everything, in order."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.encoded: list[Encoded] = []
        self.ends: list[FormattedErrors | None] = []
        self._heard = asyncio.Event()

    def offer(self, value: Encoded) -> None:
        self.encoded.append(value)
        self.values.append(orjson.loads(value.payload))
        self._heard.set()

    def end(self, errors: FormattedErrors | None) -> None:
        self.ends.append(errors)
        self._heard.set()

    async def heard(self, count: int) -> list[Any]:
        while len(self.values) < count:
            self._heard.clear()
            await self._heard.wait()
        return self.values[:count]

    async def ended(self) -> FormattedErrors | None:
        while not self.ends:
            self._heard.clear()
            await self._heard.wait()
        return self.ends[0]

    def prices(self) -> list[str]:
        return [next(iter(v["data"].values()))["lastPrice"] for v in self.values]


class Stage:
    def __init__(
        self, *known: Update, limits: GroupLimits | None = None, schema: Any = SCHEMA
    ) -> None:
        clock = ManualClock()
        self.live = PushedMarket(*known)
        self.catalogue = ListedInstruments(*map(instrument, SYMBOLS))
        venue = Venue()
        market = MarketData(
            catalogue=Catalogue(self.catalogue, clock),
            live=self.live,
            venue=venue,
            cursors=CursorSigner(b"k" * 32),
        )
        self.services = Services(
            market=market,
            books=OrderBooks(market, self.live, venue),
            tape=Tape(market, self.live, venue, clock),
            status=StatusBoard([], clock),
        )
        self.presented: list[GraphQLError] = []
        execution = Execution(schema)
        self.planner = Planner(execution)
        self.groups = Groups(
            execution,
            nobody=lambda: self.context(ANONYMOUS),
            present=self._present,
            limits=limits,
        )

    def context(self, viewer: Viewer = ANONYMOUS) -> Context:
        return context_for(viewer, self.services)

    async def plan(self, text: str, **variables: Any) -> Plan:
        plan = await self.planner.plan(text, variables, None, self.context())
        assert plan is not None
        return plan

    async def try_join(
        self, sink: Remembering, text: str, caller: Caller | None = None, **variables: Any
    ) -> Any:
        return await self.groups.join(
            await self.plan(text, **variables),
            sink,
            caller=caller or Caller(),
            context=self.context(),
        )

    async def join(
        self, text: str, caller: Caller | None = None, **variables: Any
    ) -> tuple[Remembering, Membership]:
        sink = Remembering()
        member = await self.try_join(sink, text, caller, **variables)
        assert isinstance(member, Membership), member
        return sink, member

    def _present(self, errors: Sequence[GraphQLError]) -> list[GraphQLFormattedError]:
        self.presented += errors
        return [{"message": "shown", "extensions": {"code": "SHOWN"}} for _ in errors]


@asynccontextmanager
async def running(*known: Update, **more: Any) -> AsyncIterator[Stage]:
    stage = Stage(*known, **more)
    async with stage.groups:
        yield stage
    assert stage.live.open == []
