"""Readers cut off and resumed while everything between them and the writers dies: 1..N, no more."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from adapters.postgres import Database, PostgresEventLog
from adapters.postgres.events import PendingEvents
from adapters.redis import NullHubMetrics, RedisClient, RedisEventSignals
from adapters.sandbox.servers import Servers
from domain.events import EventStreams, ResyncRequired
from domain.kernel.errors import BadInput
from domain.kernel.events import Event, NewEvent, StreamName, event_cursor
from domain.kernel.failures import Failure
from tests.world import REPOSITORY, DatabaseUrls, create_migrated_database, eventually

AT = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
STREAMS = [StreamName(f"user:019ab000-0000-7000-8000-00000000000{n}") for n in range(3)]


@dataclass(frozen=True)
class Size:
    """How much of it."""

    events: int
    """Of each stream."""
    cuts: int
    """Of each reader."""
    kills: int
    """Of carriers, Valkey and PostgreSQL, each."""


SHORT = Size(events=200, cuts=15, kills=1)
LONG = Size(events=3400, cuts=100, kills=10)


@dataclass
class Reader:
    """Follows one stream, and only ever remembers what it was given."""

    stream: StreamName
    streams: EventStreams
    events: list[Event] = field(default_factory=list)

    @property
    def cursor(self) -> str:
        return event_cursor(self.stream, self.events[-1].sequence if self.events else 0)

    async def live(self) -> None:
        """Read on from where it was cut off, until it is cut off again."""
        while True:
            try:
                found = await self.streams.follow(self.stream, after=self.cursor)
            except Failure:
                await asyncio.sleep(0.05)
                continue
            assert not isinstance(found, BadInput | ResyncRequired), found
            async with aclosing(found) as events:
                async for event in events:
                    self.events.append(event)

    async def until(self, count: int, *, cuts: int) -> None:
        chance = random.Random(self.stream)  # noqa: S311  # the same in every run
        for cut in range(cuts + 1):
            life = asyncio.ensure_future(self.live())
            reached = count if cut == cuts else count * (cut + 1) // (cuts + 1)
            until = asyncio.ensure_future(self._grown(reached))
            await asyncio.wait({life, until}, return_when=asyncio.FIRST_COMPLETED)
            # Between two events, in the middle of one, or after some more.
            for _ in range(chance.randrange(20)):
                await asyncio.sleep(0)
            for task in (life, until):
                task.cancel()
            ended = await asyncio.gather(life, until, return_exceptions=True)
            assert isinstance(ended[0], asyncio.CancelledError), ended[0]

    async def _grown(self, count: int) -> None:
        await eventually(lambda: len(self.events) >= count, within_seconds=500)


class Carriers:
    """Processes that carry; always two, whoever is killed."""

    def __init__(self, arguments: list[str]) -> None:
        self._arguments = arguments
        self._living: list[asyncio.subprocess.Process] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Carriers"]:
        try:
            await asyncio.gather(self._start(), self._start())
            yield self
        finally:
            for process in self._living:
                process.kill()
                await process.wait()

    async def kill_one(self) -> None:
        process = self._living.pop(0)
        process.kill()
        await process.wait()
        await self._start()

    async def _start(self) -> None:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.events.carrier", *self._arguments),
            cwd=REPOSITORY,
            stdout=asyncio.subprocess.PIPE,
        )
        self._living.append(process)
        assert process.stdout is not None
        assert await process.stdout.readline() == b"carrying\n"


async def write(database: Database, count: int, streams: list[StreamName]) -> None:
    """Append to each, one or some at once, until each has so many."""
    log = PostgresEventLog(database)
    while True:
        try:
            short = [stream for stream in streams if (await log.bounds(stream))[1] < count]
            if not short:
                return
            for _ in range(20):
                async with database.unit_of_work() as session:
                    pending = PendingEvents()
                    for stream in random.sample(short, random.randint(1, len(short))):  # noqa: S311
                        pending.append(NewEvent(stream, "test.happened", {}))
                    await pending.write(session, now=AT)
        except Failure:  # whether that was committed nobody knows: the log does
            await asyncio.sleep(0.05)


async def kill(servers: Servers, name: str) -> None:
    """Kill a server as the system would; its keeper brings it back."""

    def pid() -> int | None:
        status = servers.status()
        return status.servers[name].pid if status else None

    before = pid()
    assert before is not None
    os.kill(before, signal.SIGKILL if name == "valkey" else signal.SIGQUIT)
    await eventually(lambda: pid() not in (None, before), within_seconds=30)


async def break_things(
    servers: Servers, carriers: Carriers, readers: list[Reader], s: Size
) -> None:
    for turn in range(s.kills):
        enough = s.events * (turn + 1) // (s.kills + 2)
        await eventually(lambda n=enough: len(readers[0].events) >= n, within_seconds=300)  # type: ignore[misc]
        await carriers.kill_one()
        await kill(servers, "valkey")
        await kill(servers, "postgres")


@pytest.mark.parametrize(
    "size", [SHORT, pytest.param(LONG, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
async def test_every_reader_gets_exactly_the_sequence(
    breakable_servers: Servers, redis_prefix: str, size: Size
) -> None:
    urls: DatabaseUrls = await create_migrated_database(
        breakable_servers, f"okd_exact_{size.events}"
    )
    database = Database(urls.app, role="test", pool_size=6)
    client = RedisClient(breakable_servers.redis_url, prefix=redis_prefix)
    signals = RedisEventSignals(client, metrics=NullHubMetrics())
    streams = EventStreams(PostgresEventLog(database), signals)
    readers = [Reader(stream, streams) for stream in STREAMS]
    carriers = Carriers([urls.app, breakable_servers.redis_url, redis_prefix])

    async with carriers.running(), asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(signals.run())
        reading = [
            tasks.create_task(reader.until(size.events, cuts=size.cuts)) for reader in readers
        ]
        breaking = tasks.create_task(break_things(breakable_servers, carriers, readers, size))
        for order in (STREAMS, STREAMS[::-1], STREAMS[1:]):
            tasks.create_task(write(database, size.events, order))
        await asyncio.gather(*reading, breaking)
        listening.cancel()

    log = PostgresEventLog(database)
    for reader in readers:
        _, newest = await log.bounds(reader.stream)
        numbers = [event.sequence for event in reader.events]
        assert numbers == list(range(1, len(numbers) + 1))
        assert size.events <= len(numbers) <= newest
        stored = await log.after(reader.stream, 0, limit=newest)
        assert len(stored) == newest
        assert [event.id for event in reader.events] == [e.id for e in stored[: len(numbers)]]
    await client.aclose()
    await database.aclose()
