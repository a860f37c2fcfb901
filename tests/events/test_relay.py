"""Carrying: at least once, side by side, past what cannot be taken in, and at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from adapters.clock import SystemClock
from adapters.postgres import Database, PostgresOutbox, maintain_events
from adapters.postgres.events import _AFTER, _BOUNDS, _CLAIM
from domain.events import Relay
from domain.events.relay import BATCH, RETRY_SECONDS_MAX, pause
from domain.kernel.events import Event
from domain.kernel.failures import Unavailable
from tests.events.test_streams import MINE, NOW, numbered, tell
from tests.world import DatabaseUrls, eventually


class LateClock(SystemClock):
    """The system's, moved by the test."""

    late = timedelta()

    def now(self) -> datetime:
        return super().now() + self.late


class Taker:
    """The consumer ``signal``, as the test wants it."""

    name = "signal"

    def __init__(self) -> None:
        self.taken: list[Event] = []
        self.refuse: dict[int, Exception] = {}
        """By the number in the body."""

    async def consume(self, events: Sequence[Event]) -> None:
        for event in events:
            number = event.body["number"]
            assert isinstance(number, int)
            if number in self.refuse:
                raise self.refuse[number]
        self.taken += events

    @property
    def numbers(self) -> list[object]:
        return [event.body["number"] for event in self.taken]


@pytest.fixture
def late() -> LateClock:
    return LateClock()


@pytest.fixture
def outbox(database: Database, database_urls: DatabaseUrls, late: LateClock) -> PostgresOutbox:
    return PostgresOutbox(database, database_urls.app, clock=late)


@pytest.fixture
async def owner(database_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


async def left(owner: asyncpg.Connection, consumer: str = "signal") -> int:
    found = await owner.fetchval("SELECT count(*) FROM events.outbox WHERE consumer = $1", consumer)
    assert isinstance(found, int)
    return found


async def test_a_claim_that_was_not_confirmed_is_taken_over(
    database: Database, outbox: PostgresOutbox, late: LateClock, owner: asyncpg.Connection
) -> None:
    await tell(database, *(numbered(MINE, n) for n in (1, 2, 3)))
    dead = await outbox.claim("signal", limit=10)
    assert await outbox.claim("signal", limit=10) == []
    late.late = timedelta(seconds=29)
    assert await outbox.claim("signal", limit=10) == []

    late.late = timedelta(seconds=31)
    again = await outbox.claim("signal", limit=10)
    await outbox.confirm("signal", again)
    await outbox.confirm("signal", dead)  # the dead one comes back to life: no harm

    assert [d.event for d in again] == [d.event for d in dead]
    assert [(d.attempt, e.attempt) for d, e in zip(dead, again, strict=True)] == [(1, 2)] * 3
    assert (await left(owner), await left(owner, "inbox")) == (0, 3)


async def test_due_at_once_whatever_the_clock_of_the_writer_said(
    database: Database, outbox: PostgresOutbox, late: LateClock
) -> None:
    await tell(database, numbered(MINE, 1))
    late.late = NOW - datetime.now(NOW.tzinfo) - timedelta(days=1)  # noqa: TID251

    assert len(await outbox.claim("signal", limit=10)) == 1


@pytest.mark.parametrize(
    "why",
    [
        Unavailable("cache"),
        pytest.param(KeyError("a bug of ours"), marks=pytest.mark.provokes("a bug of ours")),
    ],
)
async def test_one_that_cannot_be_taken_in_holds_up_nobody(
    database: Database,
    outbox: PostgresOutbox,
    late: LateClock,
    owner: asyncpg.Connection,
    why: Exception,
) -> None:
    await tell(database, *(numbered(MINE, n) for n in range(1, 6)))
    taker = Taker()
    taker.refuse[3] = why
    relay = Relay(outbox, taker)

    with capture_logs() as logs:
        assert await relay.carry() == 5
        assert (taker.numbers, await left(owner)) == ([1, 2, 4, 5], 1)
        late.late = timedelta(seconds=1)
        await relay.carry()
        assert await left(owner) == 1
        taker.refuse.clear()
        late.late = timedelta(seconds=10)
        await relay.carry()

    assert (taker.numbers, await left(owner)) == ([1, 2, 4, 5, 3], 0)
    severity = "warning" if isinstance(why, Unavailable) else "error"
    assert [(line["log_level"], line["event"], line["attempt"]) for line in logs] == [
        (severity, "delivery_postponed", 1),
        (severity, "delivery_postponed", 2),
    ]


async def test_two_side_by_side_share_the_work_and_lose_nothing(
    database: Database, outbox: PostgresOutbox, owner: asyncpg.Connection
) -> None:
    count = 2 * BATCH + 50
    for first in range(0, count, 50):
        await tell(database, *(numbered(MINE, n) for n in range(first, first + 50)))
    takers = [Taker(), Taker()]

    await asyncio.gather(*(Relay(outbox, t).carry() for t in takers for _ in range(2)))

    assert sorted(map(str, [*takers[0].numbers, *takers[1].numbers])) == sorted(
        map(str, range(count))
    )
    assert await left(owner) == 0


async def test_what_is_written_is_carried_at_once(
    database: Database, outbox: PostgresOutbox
) -> None:
    taker = Taker()
    async with asyncio.TaskGroup() as tasks:
        duties = [tasks.create_task(duty()) for duty in (outbox.run, Relay(outbox, taker).run)]
        await tell(database, numbered(MINE, 0))
        await eventually(lambda: taker.numbers == [0])
        waits = []
        for number in range(1, 21):
            begun = time.monotonic()
            await tell(database, numbered(MINE, number))
            await eventually(lambda n=number: taker.numbers[-1] == n)  # type: ignore[misc]
            waits.append(time.monotonic() - begun)
        for duty in duties:
            duty.cancel()

    # By the clock it would be a second; the middle one, since the machine is shared.
    assert sorted(waits)[10] < 0.2, waits


async def test_events_ring_nobody_within_their_transaction(database_urls: DatabaseUrls) -> None:
    """A NOTIFY there has every commit of the server wait for the disk of the one before."""
    app = await asyncpg.connect(database_urls.app)
    told = await app.fetchval(
        "SELECT pg_get_functiondef('events.append(jsonb, timestamptz)'::regprocedure)"
    )
    await app.close()

    assert "INSERT INTO events.outbox" in told
    assert "NOTIFY" not in told


async def test_written_between_the_look_and_the_wait_is_not_waited_for(
    database: Database, outbox: PostgresOutbox
) -> None:
    async with asyncio.TaskGroup() as tasks:
        duty = tasks.create_task(outbox.run())
        await outbox.wait("signal", 5)  # it listens from here on
        assert await outbox.claim("signal", limit=1) == []
        await tell(database, numbered(MINE, 1))
        await eventually(lambda: outbox._news("signal").is_set())

        async with asyncio.timeout(2):
            await outbox.wait("signal", 60)
        duty.cancel()


async def test_a_lost_listener_comes_back(
    database: Database, outbox: PostgresOutbox, database_urls: DatabaseUrls
) -> None:
    same_role = await asyncpg.connect(database_urls.app)
    async with asyncio.TaskGroup() as tasks:
        duty = tasks.create_task(outbox.run())
        await outbox.wait("signal", 5)
        await outbox.claim("signal", limit=1)
        ended = await same_role.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'okd-outbox'"
        )
        await same_role.close()
        assert ended == 1

        async with asyncio.timeout(10):
            await outbox.wait("signal", 60)  # woken by coming back: something may have been missed
        duty.cancel()


def test_the_pause_doubles_up_to_its_bound() -> None:
    for attempt in (1, 5, 12, 1000, 10**9):
        assert 0 < pause(attempt) <= min(RETRY_SECONDS_MAX, 0.2 * 2 ** min(attempt, 40))
    assert pause(10**9) >= RETRY_SECONDS_MAX / 2


async def test_times_of_a_stream_never_go_back(
    database: Database, owner: asyncpg.Connection
) -> None:
    for days in (0, 40, 1, 41, 2):
        at = NOW + timedelta(days=days)
        await owner.execute(
            "SELECT events.append(jsonb_build_array(jsonb_build_object('stream', $1::text,"
            " 'id', gen_random_uuid(), 'type', 't', 'version', 1, 'body', '{}'::jsonb)), $2)",
            MINE,
            at,
        )

    rows = await owner.fetch("SELECT recorded_at FROM events.event ORDER BY seq")
    stamps = [row["recorded_at"] - NOW for row in rows]
    assert stamps == [timedelta(days=days) for days in (0, 40, 40, 41, 41)]


async def test_what_nobody_carried_is_forgotten_with_its_event(
    database: Database, owner: asyncpg.Connection
) -> None:
    await tell(database, numbered(MINE, 1))
    await maintain_events(database, now=NOW + timedelta(days=29))
    assert await left(owner) == 1

    await maintain_events(database, now=NOW + timedelta(days=100))

    assert await owner.fetchval("SELECT count(*) FROM events.event") == 0
    assert await left(owner) == 0


async def test_plans_use_an_index_at_a_hundred_thousand_events(
    database: Database, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "INSERT INTO events.event (stream, seq, id, type, version, body, recorded_at)"
        " SELECT 'user:' || n % 50, n / 50 + 1, gen_random_uuid(), 't', 1, '{}', $1"
        " FROM generate_series(0, 99999) n",
        NOW,
    )
    await owner.execute(
        "INSERT INTO events.outbox (consumer, stream, seq, recorded_at, due_at)"
        " SELECT c, stream, seq, recorded_at, '-infinity' FROM events.event,"
        " unnest(ARRAY['signal', 'inbox']) c"
    )
    await owner.execute(
        "INSERT INTO events.event_stream SELECT 'user:' || n, 2000, $1"
        " FROM generate_series(0, 49) n",
        NOW,
    )
    await owner.execute("ANALYZE events.event, events.outbox, events.event_stream")

    async def plan(statement: object, **values: object) -> str:
        text = str(statement)
        for name, value in values.items():
            text = text.replace(f":{name}", repr(value))
        rows = await owner.fetch(f"EXPLAIN (ANALYZE, COSTS OFF, SUMMARY OFF, TIMING OFF) {text}")
        return "\n".join(row[0] for row in rows)

    reading = await plan(_AFTER, stream="user:7", seq=1000, limit=200)
    bounds = await plan(_BOUNDS, stream="user:7")
    await owner.execute("BEGIN")
    claiming = await plan(
        _CLAIM, consumer="signal", now="2026-11-22T16:00Z", again="2026-11-22T17:00Z", limit=200
    )
    await owner.execute("ROLLBACK")

    for found in (reading, bounds, claiming):
        assert "Seq Scan on event_default" not in found, found
        assert "Seq Scan on outbox" not in found, found
        assert "Index" in found
