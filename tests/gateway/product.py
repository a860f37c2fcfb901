"""A small schema that does everything a gateway must survive, and a world to serve it in."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from adapters.gateway import USER_ERROR_MARK, ConnectionInfo
from domain.kernel.failures import Conflict, Rejected, TimedOut, Unavailable
from domain.kernel.policy import Audience, Delivery, FieldPolicy
from domain.kernel.viewer import Viewer
from domain.status import Component, ComponentState, SystemStatus
from schema._scalars import SCALARS

SHARED = FieldPolicy(Audience.ANYONE, shared=True, delivery=Delivery.LATEST)
PRIVATE = FieldPolicy(Audience.SIGNED_IN)
CANARY = "canary-5f1c-postgres-said-password"


@dataclass
class Context:
    viewer: Viewer
    connection: ConnectionInfo
    stage: "Stage"


@dataclass
class Stage:
    """Lets a test hold a resolver and hear of its progress."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    contexts: list[Context] = field(default_factory=list)
    streams_open: int = 0
    """Of ``count`` and ``flood``: what a client leaves behind when it goes."""
    blocks_made: int = 0
    shared_begun: int = 0
    """Executions of ``price``: one for all who ask the same."""
    prices: dict[str, "asyncio.Queue[int]"] = field(default_factory=dict)
    """By symbol: what a test publishes."""

    def queue(self, symbol: str) -> "asyncio.Queue[int]":
        return self.prices.setdefault(symbol, asyncio.Queue())

    def context(self, viewer: Viewer, connection: ConnectionInfo) -> Context:
        made = Context(viewer, connection, self)
        self.contexts.append(made)
        return made


class Broken(Exception):
    """What a vendor raises."""


def fail(kind: str) -> None:
    cause = Broken(CANARY)
    match kind:
        case "unavailable":
            raise Unavailable("exchange", retry_after_seconds=1.5) from cause
        case "timed_out":
            raise TimedOut("database") from cause
        case "conflict":
            raise Conflict("database") from cause
        case "rejected":
            raise Rejected("exchange") from cause
        case "group":
            raise ExceptionGroup(CANARY, [Unavailable("exchange")])
        case "user":
            extensions = {"code": "UNKNOWN_INSTRUMENT", USER_ERROR_MARK: True, "near": ["BTCUSDT"]}
            raise GraphQLError("There is no XYZ.", extensions=extensions)
        case "unmarked":
            raise GraphQLError(CANARY, extensions={"code": CANARY})
        case "bug":
            raise Broken(CANARY)
        case _:
            return


@strawberry.enum
class Category(Enum):
    LINEAR = "linear"


@strawberry.enum
class Mood(Enum):
    CALM = "calm"
    WILD = "wild"


async def resolve_boom(kind: str) -> str:
    fail(kind)
    return "ok"


async def resolve_echo(amount: Decimal, at: datetime | None = None) -> Decimal:
    return amount


async def resolve_hold(info: strawberry.Info[Context, None]) -> str:
    info.context.stage.entered.set()
    await info.context.stage.release.wait()
    return "held and answered"


async def resolve_transport(info: strawberry.Info[Context, None]) -> str:
    return info.context.connection.transport


async def resolve_parameters(info: strawberry.Info[Context, None]) -> list[str]:
    return sorted(info.context.connection.parameters)


async def resolve_lone() -> str:
    """Text that no JSON holds."""
    return "\ud800"


async def count_up(
    info: strawberry.Info[Context, None], to: int = 3, fails: str = "", every: float = 0.0
) -> AsyncGenerator[int, None]:
    stage = info.context.stage
    stage.streams_open += 1
    try:
        for number in range(to):
            yield number
            await asyncio.sleep(every)
        fail(fails)
    finally:
        stage.streams_open -= 1
        stage.ended.set()


async def flood(info: strawberry.Info[Context, None], size: int) -> AsyncGenerator[str, None]:
    """As much as the reader takes."""
    stage = info.context.stage
    stage.streams_open += 1
    try:
        while True:
            stage.blocks_made += 1
            yield "x" * size
    finally:
        stage.streams_open -= 1


async def prices(
    info: strawberry.Info[Context, None], symbol: str, fails: str = ""
) -> AsyncGenerator[int, None]:
    """What a test publishes, until 0."""
    stage = info.context.stage
    stage.shared_begun += 1
    fail(fails)
    stage.streams_open += 1
    try:
        while number := await stage.queue(symbol).get():
            if number < 0:
                fail("bug")
            yield number
    finally:
        stage.streams_open -= 1


async def whoami(info: strawberry.Info[Context, None]) -> AsyncGenerator[str, None]:
    """Who the execution believes to serve, again and again."""
    stage = info.context.stage
    stage.shared_begun += 1
    while True:
        yield str(info.context.viewer.user_id)
        await asyncio.sleep(0.005)


@strawberry.type
class Person:
    roles: list[str]


def resolve_viewer(info: strawberry.Info[Context, None]) -> Person | None:
    viewer = info.context.viewer
    return Person(roles=sorted(viewer.roles)) if viewer.signed_in else None


@strawberry.input(one_of=True)
class Guest:
    email: str | None = strawberry.UNSET
    phone: str | None = strawberry.UNSET


def resolve_invite(guest: Guest) -> bool:
    return isinstance(guest, Guest)


@strawberry.type
class Price:
    lastPrice: str  # noqa: N815
    bidPrice: str  # noqa: N815
    askPrice: str  # noqa: N815
    volume24h: str
    asOf: str  # noqa: N815
    stale: bool
    source: str


@strawberry.type
class Query:
    boom: str = strawberry.field(resolver=resolve_boom)
    hold: str = strawberry.field(resolver=resolve_hold)
    transport: str = strawberry.field(resolver=resolve_transport)
    parameters: list[str] = strawberry.field(resolver=resolve_parameters)
    lone: str = strawberry.field(resolver=resolve_lone)
    echo: Decimal = strawberry.field(resolver=resolve_echo)
    viewer: Person | None = strawberry.field(resolver=resolve_viewer)
    invite: bool = strawberry.field(resolver=resolve_invite)

    @strawberry.field
    def hello(self, name: str = "you", mood: Mood | None = None) -> str:
        return f"hello {name}"

    @strawberry.field
    def correlation_id(self, info: strawberry.Info[Context, None]) -> str:
        return info.context.connection.correlation.id

    @strawberry.field
    def address(self, info: strawberry.Info[Context, None]) -> str:
        return info.context.connection.address

    @strawberry.field
    def frail(self) -> str | None:
        fail("bug")
        return None

    @strawberry.field
    def must(self) -> str:
        return None  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> str:
        return "touched"


@strawberry.type
class Subscription:
    count: AsyncGenerator[int, None] = strawberry.subscription(resolver=count_up)
    privateFlood: AsyncGenerator[str, None] = strawberry.subscription(  # noqa: N815
        resolver=flood, metadata={"policy": PRIVATE}
    )
    flood: AsyncGenerator[str, None] = strawberry.subscription(resolver=flood)
    price: AsyncGenerator[int, None] = strawberry.subscription(
        resolver=prices, metadata={"policy": SHARED}
    )
    sharedWhoami: AsyncGenerator[str, None] = strawberry.subscription(  # noqa: N815
        resolver=whoami, metadata={"policy": SHARED}
    )
    privateWhoami: AsyncGenerator[str, None] = strawberry.subscription(  # noqa: N815
        resolver=whoami, metadata={"policy": PRIVATE}
    )

    @strawberry.subscription
    async def ticker(
        self,
        category: Category,
        symbol: str,
    ) -> AsyncGenerator[Price, None]:
        number = 0
        while True:
            number += 1
            price = f"{68_000 + number % 90}.{number % 10}0"
            yield Price(
                lastPrice=price,
                bidPrice=price,
                askPrice=price,
                volume24h="184202.113",
                asOf="2026-11-22T15:00:00.000Z",
                stale=False,
                source="SANDBOX",
            )
            await asyncio.sleep(0.05)

    @strawberry.subscription
    async def broken_start(self) -> AsyncGenerator[int, None]:
        fail("bug")
        yield 1


def product_schema(extensions: Sequence[type[SchemaExtension]] = ()) -> strawberry.Schema:
    return strawberry.Schema(
        Query,
        Mutation,
        Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=extensions,
    )


class Board:
    """A status board whose findings a test decides."""

    def __init__(self, status: SystemStatus) -> None:
        self.shown = status

    def status(self) -> SystemStatus:
        return self.shown

    def set(self, state: ComponentState) -> None:
        first = self.shown.components[0]
        changed = Component(first.name, state, first.since, "for the test", first.required)
        self.shown = SystemStatus((changed, *self.shown.components[1:]), self.shown.as_of)
