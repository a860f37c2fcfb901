"""Composition root: settings -> adapters -> services -> schema -> one process. Nobody imports it.

    python app.py web | feed | worker      the roles; each is scaled by starting more of it
    python app.py migrate                  bring the database up to date, then end
    python app.py run [--port ...]         the whole sandbox world: what ./dev run starts
    python app.py exchange                 the sandbox's Bybit V5: started by run
    python app.py schema [--check | --write | --release]   docs/: the SDL, the reference
    python app.py settings [--check | --write]             docs/settings.md and .env.example
    python app.py record --category ... --symbols ... --out FILE   live streams into a file

Imports are made by the role that needs them: the supervisor is up in a fraction of a second, and a
role pays for its own libraries only.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from adapters.bybit import BybitAdapter
    from adapters.gateway import Drain
    from adapters.postgres import Database
    from adapters.redis import RedisClient
    from adapters.resilience import Breakers
    from adapters.settings import Settings
    from adapters.telemetry import Metrics
    from domain.kernel.clock import Clock
    from domain.status import HealthProbe, StatusBoard

ROOT = Path(__file__).resolve().parent
Duty = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Foundation:
    """What every long-running role stands on."""

    settings: "Settings"
    clock: "Clock"
    drain: "Drain"
    metrics: "Metrics"
    breakers: "Breakers"
    database: "Database"
    redis: "RedisClient"
    bybit: "BybitAdapter"

    def probes(self, *, database_required: bool) -> "list[HealthProbe]":
        from adapters.bybit import REST_BREAKER
        from adapters.gateway import BreakerProbe, PingProbe

        breaker = self.breakers.of(REST_BREAKER)

        def exchange() -> str:
            return breaker.state.lower()

        return [
            PingProbe("database", self.database.ping, required=database_required),
            # Not required: without prices everything else is still worth serving, and a cache
            # that is away would take every process out of the load balancer at once.
            PingProbe("cache", self.redis.ping, required=False),
            BreakerProbe("exchange", exchange),
        ]


@asynccontextmanager
async def founded(role: str, settings: "Settings") -> AsyncIterator[Foundation]:
    """Open what a role stands on. Nothing is dialled yet: a dead dependency is a state."""
    from adapters.bybit import connect
    from adapters.clock import SystemClock
    from adapters.gateway import Drain
    from adapters.postgres import Database
    from adapters.redis import RedisClient
    from adapters.resilience import Breakers
    from adapters.telemetry import Metrics
    from adapters.telemetry.counters import VenueCounters

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
    base: Foundation, board: "StatusBoard", duties: Sequence[Duty], web: "ASGIApp | None" = None
) -> None:
    """Serve until drained, with the duties running beside; one that crashes ends the process."""
    from adapters.gateway import operations_app, serve
    from adapters.gateway.server.collector import settle
    from adapters.supervisor import lifeline

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


async def web(settings: "Settings") -> None:
    """GraphQL for clients."""
    from adapters.gateway import FeedProbe, build_app, operation_extensions
    from adapters.postgres import PostgresInstruments
    from adapters.redis import RedisLiveMarket
    from adapters.telemetry.counters import HubCounters
    from domain.kernel.cursor import CursorSigner
    from domain.market import Catalogue, MarketData, OrderBooks, Tape
    from domain.status import StatusBoard
    from resolvers.context import Services, context_for
    from schema import build_schema, print_sdl

    async with founded("web", settings) as base:
        live = RedisLiveMarket(
            base.redis,
            clock=base.clock,
            categories=settings.categories,
            metrics=HubCounters(base.metrics.registry),
        )
        feeds = [FeedProbe(category, live.reports) for category in settings.categories]
        board = StatusBoard([*base.probes(database_required=True), *feeds], base.clock)
        market = MarketData(
            catalogue=Catalogue(PostgresInstruments(base.database, clock=base.clock), base.clock),
            live=live,
            venue=base.bybit.rest,
            cursors=CursorSigner(settings.secret_key.get_secret_value().encode()),
        )
        venue = base.bybit.rest
        services = Services(
            market=market,
            books=OrderBooks(market, live, venue),
            tape=Tape(market, live, venue, base.clock),
            status=board,
        )
        app = build_app(
            graphql_schema=build_schema(
                extensions=operation_extensions(settings), suggestions=not settings.production
            ),
            context=lambda viewer, _connection: context_for(viewer, services),
            board=board,
            settings=settings,
            metrics=base.metrics,
            drain=base.drain,
            sdl=print_sdl(),
            docs=ROOT / "docs",
            graphiql=ROOT / "adapters" / "web" / "dist",
        )
        await on_duty(base, board, [live.run], app)


async def feed(settings: "Settings") -> None:
    """Prices from the venue into Redis, for the categories this process leads."""
    from adapters.gateway.role_probes import LeaderProbe
    from adapters.redis import RedisFeedPublisher, RedisLeases
    from domain.kernel.ids import InstrumentId, Symbol
    from domain.market import CategoryFeed, Follow, ticker_topic
    from domain.status import StatusBoard

    async with founded("feed", settings) as base:
        always_on = {
            category: [
                Follow(ticker_topic(InstrumentId(category, Symbol(symbol))))
                for symbol in settings.always_on_symbols
            ]
            for category in settings.categories
        }
        feeds = {
            category: CategoryFeed(
                category,
                leases=RedisLeases(base.redis),
                streams=base.bybit.streams,
                publisher=RedisFeedPublisher(base.redis, always_on=always_on[category]),
                clock=base.clock,
                always_on=always_on[category],
            )
            for category in settings.categories
        }
        leaders = [LeaderProbe(category, feed) for category, feed in feeds.items()]
        board = StatusBoard([*base.probes(database_required=False), *leaders], base.clock)
        await on_duty(base, board, [feed.run for feed in feeds.values()])


async def worker(settings: "Settings") -> None:
    """What nobody waits for: the catalogue, the venue's clock."""
    from adapters.gateway.role_probes import VenueClockProbe
    from adapters.postgres import PostgresInstruments
    from domain.market import CatalogueRefresh, VenueClock
    from domain.status import StatusBoard

    async with founded("worker", settings) as base:
        refresh = CatalogueRefresh(
            venue=base.bybit.rest,
            instruments=PostgresInstruments(base.database, clock=base.clock),
            categories=settings.categories,
        )
        clock = VenueClock(base.bybit.rest)
        probes = [*base.probes(database_required=True), VenueClockProbe(clock)]
        await on_duty(base, StatusBoard(probes, base.clock), [refresh.run, clock.run])


async def exchange(settings: "Settings") -> None:
    """The sandbox's venue. The production image does not have it."""
    from adapters.clock import FastClock
    from adapters.gateway import Drain, serve
    from adapters.sandbox.exchange import RecordingError, create_exchange
    from adapters.settings import SettingsError
    from adapters.supervisor import lifeline

    recording = os.environ.get("OKD_RECORDING")
    try:
        app = create_exchange(
            seed=int(os.environ.get("OKD_SEED", "1")),
            clock=FastClock(float(os.environ.get("OKD_SANDBOX_CLOCK_SPEED", "1"))),
            recording=Path(recording) if recording else None,
            control_token=os.environ["OKD_CONTROL_TOKEN"],
        )
    except RecordingError as error:
        raise SettingsError([f"OKD_RECORDING: {error}"]) from error
    await serve(settings=settings, drain=Drain(), web=app, on_ready=lifeline.announce_ready)


async def migrate(settings: "Settings") -> None:
    """Apply what is pending, as the owner."""
    import structlog

    from adapters.gateway import StartFailed
    from adapters.postgres.migrations import MigrationError
    from adapters.postgres.migrations import migrate as apply

    if settings.database_owner_url is None:
        raise StartFailed("DATABASE_OWNER_URL: is missing; migrations run as okd_owner.")
    try:
        report = await apply(settings.database_owner_url.get_secret_value())
    except MigrationError as error:
        raise StartFailed(str(error)) from error
    structlog.get_logger().info("database_migrated", applied=report.applied, at=report.after)


ROLES: dict[str, Callable[["Settings"], Coroutine[Any, Any, None]]] = {
    "web": web,
    "feed": feed,
    "worker": worker,
    "exchange": exchange,
    "migrate": migrate,
}


def start(role: str) -> int:
    """Run a role to its end. Problems a person can mend are sentences, not tracebacks."""
    from adapters.supervisor import lifeline

    lifeline.watch()
    from adapters.gateway import run
    from adapters.settings import SettingsError, load_settings
    from adapters.telemetry import configure_logging

    # The exchange has nobody to be taken out of traffic by.
    overrides = {"drain_seconds": 0.0} if role == "exchange" else {}
    try:
        settings = load_settings(**overrides)
        configure_logging(role=role, log_format=settings.log_format, level=settings.log_level)
        run(ROLES[role](settings))
    except SettingsError as error:
        complain("These settings cannot be used (docs/settings.md):", *error.problems)
        return lifeline.UNUSABLE_EXIT_CODE
    except Exception as error:
        sentences = sentences_of(error)
        if not sentences:
            raise
        return complain(*sentences)
    return 0


def sentences_of(error: BaseException) -> list[str]:
    """What a person is told of an error they can mend; nothing when it is a bug."""
    from adapters.gateway import StartFailed
    from domain.kernel.failures import Failure

    if isinstance(error, BaseExceptionGroup):
        parts = [sentences_of(part) for part in error.exceptions]
        return [sentence for part in parts for sentence in part] if all(parts) else []
    if isinstance(error, Failure):
        return [error.message]
    return [str(error)] if isinstance(error, StartFailed | OSError) else []


def run_world(arguments: Sequence[str]) -> int:
    from adapters.supervisor import run_from_arguments

    return run_from_arguments(arguments)


def schema_documents(arguments: Sequence[str]) -> int:
    from adapters.generated import settle
    from schema import print_sdl

    sdl = print_sdl()
    if "--release" in arguments:
        return settle(["--write"], {"docs/schema.released.graphql": sdl}, ROOT)
    wanted = {"docs/schema.graphql": sdl}
    if arguments:
        wanted |= reference_documents(sdl)
    return settle(arguments, wanted, ROOT)


def reference_documents(sdl: str) -> dict[str, str]:
    """docs/reference and docs/errors.md."""
    from adapters.gateway.errors import GatewayErrorCode
    from adapters.reference import reference_files
    from domain.kernel.errors import error_codes
    from domain.kernel.failures import FailureCode
    from schema.facts import facts_by_field

    codes = [*GatewayErrorCode, *FailureCode, *error_codes()]
    return reference_files(sdl, known=facts_by_field(), root=ROOT, codes=codes)


def settings_documents(arguments: Sequence[str]) -> int:
    from adapters.generated import settle
    from adapters.settings_docs import as_example, as_markdown

    wanted = {"docs/settings.md": as_markdown(), ".env.example": as_example()}
    return settle(arguments, wanted, ROOT)


def record_streams(arguments: Sequence[str]) -> int:
    from adapters.devtools.recording import record_streams as run_recording

    return run_recording(arguments)


def complain(*sentences: str) -> int:
    sys.stderr.write("\n".join(sentences) + "\n")
    return 1


TOOLS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run_world,
    "schema": schema_documents,
    "settings": settings_documents,
    "record": record_streams,
}


def main(arguments: Sequence[str]) -> int:
    word = arguments[0] if arguments else ""
    if word in TOOLS:
        return TOOLS[word](arguments[1:])
    if word in ROLES and len(arguments) == 1:
        return start(word)
    asked = word in ("-h", "--help", "help")
    (sys.stdout if asked else sys.stderr).write(f"{__doc__}\n")
    return 0 if asked else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
