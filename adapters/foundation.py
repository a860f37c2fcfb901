"""What every long-running role stands on, and how it serves until it is drained."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from adapters.bybit import REST_BREAKER, BybitAdapter, connect
from adapters.clock import SystemClock
from adapters.duties import Duty
from adapters.gateway import BreakerProbe, Drain, PingProbe, operations_app, serve
from adapters.gateway.server.collector import settle
from adapters.postgres import Database
from adapters.redis import RedisClient
from adapters.resilience import Breakers
from adapters.settings import Settings
from adapters.supervisor import lifeline
from adapters.telemetry import Metrics
from adapters.telemetry.counters import VenueCounters
from domain.kernel.clock import Clock
from domain.status import HealthProbe, StatusBoard

if TYPE_CHECKING:
    from adapters.people import People


@dataclass(frozen=True)
class Foundation:
    """What every long-running role stands on."""

    settings: Settings
    clock: Clock
    drain: Drain
    metrics: Metrics
    breakers: Breakers
    database: Database
    redis: RedisClient
    bybit: BybitAdapter

    def probes(self, *, database_required: bool) -> list[HealthProbe]:
        return [
            PingProbe("database", self.database.ping, required=database_required),
            # Not required: without prices everything else is still worth serving, and a cache
            # that is away would take every process out of the load balancer at once.
            PingProbe("cache", self.redis.ping, required=False),
            self.breaker_probe("exchange", REST_BREAKER),
        ]

    def breaker_probe(self, name: str, breaker: str) -> HealthProbe:
        watched = self.breakers.of(breaker)

        def state() -> str:
            return watched.state.lower()

        return BreakerProbe(name, state)

    def people(self) -> "AbstractAsyncContextManager[People | None]":
        """For the roles that have to do with people."""
        from adapters.people import people_of  # noqa: PLC0415  # what the feed need not pay for

        return people_of(
            self.settings,
            clock=self.clock,
            database=self.database,
            redis=self.redis,
            breakers=self.breakers,
        )


@asynccontextmanager
async def founded(role: str, settings: Settings) -> AsyncIterator[Foundation]:
    """Open what a role stands on. Nothing is dialled yet: a dead dependency is a state."""
    clock = SystemClock()
    metrics = Metrics(role=role)
    breakers = Breakers(clock)
    metrics.watch_breakers(lambda: {n: state.lower() for n, state in breakers.states().items()})
    database = Database(
        settings.database_url.get_secret_value(),
        role=role,
        pool_size=settings.database_pool_size,
        timeout_seconds=settings.database_timeout_seconds,
    )
    redis = RedisClient(
        settings.redis_url.get_secret_value(),
        prefix=settings.redis_prefix,
        timeout_seconds=settings.redis_timeout_seconds,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.aclose)
        stack.push_async_callback(redis.aclose)
        counters = VenueCounters(metrics.registry)
        bybit = await stack.enter_async_context(
            connect(settings, clock=clock, breakers=breakers, metrics=counters)
        )
        yield Foundation(settings, clock, Drain(), metrics, breakers, database, redis, bybit)


async def on_duty(
    base: Foundation, board: StatusBoard, duties: Sequence[Duty], web: ASGIApp | None = None
) -> None:
    """Serve until drained, with the duties running beside; one that crashes ends the process."""
    settings = base.settings
    operations = None
    if web is None or settings.production or settings.operations_fd is not None:
        operations = operations_app(board, base.metrics, base.drain)

    def on_ready() -> None:
        if web is not None:
            settle()
        lifeline.announce_ready()

    await board.beat()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(duty()) for duty in (board.run, *duties)]
        await serve(
            settings=settings,
            drain=base.drain,
            web=web,
            operations=operations,
            on_ready=on_ready,
            trusted_proxies=settings.trusted_proxies,
            metrics=base.metrics,
        )
        for task in running:
            task.cancel()
