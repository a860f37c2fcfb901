"""Roles that need no schema: prices, what nobody waits for, migrations.

Each takes settings and runs until it is drained or done. Imports are made by the role that needs
them, as in app.py.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.settings import Settings


async def feed(settings: "Settings") -> None:
    """Prices from the venue into Redis, for the categories this process leads."""
    from adapters.foundation import founded, on_duty
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
    """What nobody waits for: the catalogue, the venue's clock, events to who is told of them."""
    from adapters.foundation import founded, on_duty
    from adapters.gateway.role_probes import VenueClockProbe
    from adapters.postgres import PostgresInstruments
    from adapters.worker_duties import about_money, about_people, about_statements
    from domain.market import CatalogueRefresh, VenueClock
    from domain.status import StatusBoard

    async with founded("worker", settings) as base, base.people() as people:
        refresh = CatalogueRefresh(
            venue=base.bybit.rest,
            instruments=PostgresInstruments(base.database, clock=base.clock),
            categories=settings.categories,
        )
        clock = VenueClock(base.bybit.rest)
        probes = [*base.probes(database_required=True), VenueClockProbe(clock)]
        duties = [refresh.run, clock.run, *about_money(base)]
        if people is not None:
            duties += [*about_people(people, base), *about_statements(people, base)]
        await on_duty(base, StatusBoard(probes, base.clock), duties)


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
