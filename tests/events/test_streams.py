"""Events from the commit to the reader, through a real PostgreSQL and a real Valkey."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime

import asyncpg
import pytest

from adapters.clock import SystemClock
from adapters.postgres import Database, PostgresEventLog, PostgresOutbox, maintain_events
from adapters.postgres.events import PendingEvents
from adapters.redis import NullHubMetrics, RedisClient, RedisEventSignaller, RedisEventSignals
from domain.events import EventStreams, Relay, ResyncRequired
from domain.kernel.errors import BadInput
from domain.kernel.events import Event, NewEvent, StreamName, event_cursor
from tests.world import DatabaseUrls

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
MINE = StreamName("user:019ab000-0000-7000-8000-000000000001")
OTHER = StreamName("user:019ab000-0000-7000-8000-000000000002")


async def tell(database: Database, *events: NewEvent, then: Exception | None = None) -> None:
    async with database.unit_of_work() as session:
        pending = PendingEvents()
        for event in events:
            pending.append(event)
        await pending.write(session, now=NOW)
        if then is not None:
            raise then


def numbered(stream: StreamName, number: int) -> NewEvent:
    return NewEvent(stream, "test.happened", {"number": number})


async def take(reader: AsyncGenerator[Event, None], count: int) -> list[Event]:
    async with asyncio.timeout(20):
        return [await anext(reader) for _ in range(count)]


async def opened(
    streams: EventStreams, stream: StreamName, after: str | None = None
) -> AsyncGenerator[Event, None]:
    reader = await streams.follow(stream, after=after)
    assert not isinstance(reader, BadInput | ResyncRequired)
    return reader


@asynccontextmanager
async def running(
    database: Database, urls: DatabaseUrls, client: RedisClient, clock: SystemClock
) -> AsyncIterator[EventStreams]:
    outbox = PostgresOutbox(database, urls.app, clock=clock)
    signals = RedisEventSignals(client, metrics=NullHubMetrics())
    relay = Relay(outbox, RedisEventSignaller(client))
    async with asyncio.TaskGroup() as tasks:
        duties = [tasks.create_task(duty()) for duty in (outbox.run, signals.run, relay.run)]
        # An hour: only a signal can be what woke the reader.
        yield EventStreams(PostgresEventLog(database), signals, look_every_seconds=3600)
        for duty in duties:
            duty.cancel()


@pytest.fixture
async def streams(
    database: Database,
    database_urls: DatabaseUrls,
    redis_client: RedisClient,
    clock: SystemClock,
) -> AsyncIterator[EventStreams]:
    async with running(database, database_urls, redis_client, clock) as made:
        yield made


async def test_numbers_have_no_gap_and_belong_to_their_stream(database: Database) -> None:
    await tell(database, numbered(MINE, 1), numbered(OTHER, 1), numbered(MINE, 2))
    with pytest.raises(RuntimeError):
        await tell(database, numbered(MINE, 99), then=RuntimeError("rolled back"))
    await tell(database, numbered(MINE, 3))

    log = PostgresEventLog(database)
    mine = await log.after(MINE, 0, limit=10)
    assert [(event.sequence, event.body) for event in mine] == [
        (1, {"number": 1}),
        (2, {"number": 2}),
        (3, {"number": 3}),
    ]
    assert [event.sequence for event in await log.after(OTHER, 0, limit=10)] == [1]
    assert await log.bounds(MINE) == (1, 3)
    assert await log.bounds(StreamName("user:nobody")) == (1, 0)


async def test_writers_side_by_side_leave_no_gap_and_no_deadlock(database: Database) -> None:
    async def write(turn: int) -> None:
        pair = [numbered(MINE, turn), numbered(OTHER, turn)]
        await tell(database, *(pair if turn % 2 else reversed(pair)))

    await asyncio.gather(*(write(turn) for turn in range(40)))

    log = PostgresEventLog(database)
    for stream in (MINE, OTHER):
        found = await log.after(stream, 0, limit=100)
        assert [event.sequence for event in found] == list(range(1, 41))
        assert sorted(event.body["number"] for event in found) == list(range(40))  # type: ignore[type-var]


async def test_missed_ones_come_first_and_new_ones_follow_at_once(
    database: Database, streams: EventStreams
) -> None:
    await tell(database, *(numbered(MINE, n) for n in range(1, 6)))
    async with aclosing(await opened(streams, MINE, event_cursor(MINE, 2))) as reader:
        missed = await take(reader, 3)
        waiting = asyncio.ensure_future(take(reader, 1))
        await tell(database, numbered(OTHER, 1))
        await tell(database, numbered(MINE, 6))
        live = await waiting

    assert [event.sequence for event in [*missed, *live]] == [3, 4, 5, 6]
    assert {event.stream for event in [*missed, *live]} == {MINE}


async def test_without_a_cursor_only_what_comes_from_now_on(
    database: Database, streams: EventStreams
) -> None:
    await tell(database, numbered(MINE, 1))
    async with aclosing(await opened(streams, MINE)) as reader:
        waiting = asyncio.ensure_future(take(reader, 1))
        await tell(database, numbered(MINE, 2))

        assert [event.sequence for event in await waiting] == [2]


@pytest.mark.parametrize(
    "cursor", ["", "x", "djE6", event_cursor(OTHER, 1), event_cursor(MINE, -1)]
)
async def test_a_cursor_of_something_else_is_bad_input(
    database: Database, streams: EventStreams, cursor: str
) -> None:
    await tell(database, numbered(MINE, 1))

    refused = await streams.follow(MINE, after=cursor)

    assert isinstance(refused, BadInput)
    assert refused.argument == "after"


async def test_what_is_no_longer_kept_has_to_be_read_anew(
    database: Database, database_urls: DatabaseUrls, streams: EventStreams
) -> None:
    await tell(database, *(numbered(MINE, n) for n in range(1, 6)))
    owner = await asyncpg.connect(database_urls.owner)
    await owner.execute("DELETE FROM events.event WHERE seq <= 3")
    await owner.close()

    too_old = await streams.follow(MINE, after=event_cursor(MINE, 2))
    future = await streams.follow(MINE, after=event_cursor(MINE, 6))
    async with aclosing(await opened(streams, MINE, event_cursor(MINE, 3))) as reader:
        kept = await take(reader, 2)

    assert too_old == ResyncRequired(event_cursor(MINE, 3))
    assert future == ResyncRequired(event_cursor(MINE, 3))
    assert [event.sequence for event in kept] == [4, 5]


async def test_nobody_but_the_function_writes_events(
    database: Database, database_urls: DatabaseUrls
) -> None:
    await tell(database, numbered(MINE, 1))
    app = await asyncpg.connect(database_urls.app)
    try:
        for statement in (
            "UPDATE events.event SET type = 'x'",
            "DELETE FROM events.event",
            "INSERT INTO events.event_stream VALUES ('user:x', 9)",
            "UPDATE events.event_stream SET last_seq = 9",
            (
                "INSERT INTO events.outbox (consumer, stream, seq, recorded_at, due_at)"
                " VALUES ('signal', 'user:x', 1, now(), now())"
            ),
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()


async def test_months_are_made_ahead_and_old_ones_dropped(
    database: Database, database_urls: DatabaseUrls
) -> None:
    async def months() -> list[str]:
        owner = await asyncpg.connect(database_urls.owner)
        found = await owner.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'events'::regnamespace"
            " AND relname ~ '^event_[0-9]+$' AND relkind = 'r' ORDER BY 1"
        )
        await owner.close()
        return [row["relname"] for row in found]

    await maintain_events(database, now=datetime(2031, 1, 15, tzinfo=UTC))
    await maintain_events(database, now=datetime(2031, 1, 16, tzinfo=UTC))
    first = [month for month in await months() if month >= "event_2031"]
    await maintain_events(database, now=datetime(2031, 3, 20, tzinfo=UTC))
    second = [month for month in await months() if month >= "event_2031"]

    assert first == ["event_203101", "event_203102", "event_203103"]
    assert second == ["event_203102", "event_203103", "event_203104", "event_203105"]
