"""Writers let loose on the ledger, in as many processes as it takes, and what they cost."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from decimal import Decimal
from statistics import quantiles
from typing import IO
from uuid import uuid4

import asyncpg

from adapters.clock import SystemClock
from adapters.postgres import Database
from adapters.postgres.wallets import PostgresAssets, PostgresVerification, PostgresWorks
from adapters.sandbox.servers import Servers
from adapters.supervisor.terminal import StartError
from domain.wallets import Deposits
from domain.wallets.model import Asset
from tests.bench.rig.ledger.poster import PEOPLE, USDT, Order, person
from tests.bench.rig.machine import family_cpu_seconds
from tests.bench.rig.rounds import Sample
from tests.world import REPOSITORY, DatabaseUrls, create_migrated_database

DATABASE = "okd_posting"
GIVEN = Decimal(1_000_000)
_START_IN_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Posting:
    """A ledger with people who have money, and the server below it."""

    urls: DatabaseUrls
    postmaster: int
    processes: int

    def measured(self, what: str, clients: int, *, warm: float, seconds: float) -> Sample:
        """``clients`` writers for so long. Raises StartError."""
        shares = [len(range(n, clients, self.processes)) for n in range(self.processes)]
        orders = [
            Order(what, self.urls.app, share, warm, seconds, seed)
            for seed, share in enumerate(shares)
            if share
        ]
        with ExitStack() as stack:
            pipes = [stack.enter_context(_poster(order)) for order in orders]
            begin = time.monotonic() + _START_IN_SECONDS
            for pipe in pipes:
                pipe.tell(f"{begin}\n")
            time.sleep(begin + warm - time.monotonic())
            before = family_cpu_seconds(self.postmaster)
            time.sleep(begin + warm + seconds - time.monotonic())
            server = family_cpu_seconds(self.postmaster) - before
            told = [json.loads(pipe.heard()) for pipe in pipes]
        done = sum(each["done"] for each in told)
        latencies = [ms for each in told for ms in each["latencies_ms"]]
        percentiles = quantiles(latencies, n=100)
        return {
            "per_second": done / seconds,
            "mean_ms": sum(latencies) / len(latencies),
            "p50_ms": percentiles[49],
            "p99_ms": percentiles[98],
            "server_cpu_us": server * 1e6 / done,
            "client_cpu_us": sum(each["cpu_seconds"] for each in told) * 1e6 / done,
        }

    async def entries(self) -> int:
        """In the journal by now."""
        connection = await asyncpg.connect(self.urls.app)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM wallets.entry"))
        finally:
            await connection.close()

    async def wrong(self) -> Sequence[object]:
        """What the verification finds in the books after all that."""
        database = Database(self.urls.app, role="bench", pool_size=1, timeout_seconds=600)
        try:
            return await PostgresVerification(database).findings()
        finally:
            await database.aclose()


async def prepared(servers: Servers, processes: int) -> Posting:
    """A migrated database of its own, in which everybody is rich."""
    status = servers.status()
    pid = None if status is None else status.servers["postgres"].pid
    if pid is None:
        raise StartError("PostgreSQL is not there.")
    urls = await create_migrated_database(servers, DATABASE)
    database = Database(urls.app, role="bench", pool_size=8)
    clock = SystemClock()
    assets = PostgresAssets(database, clock=clock)
    await assets.add(Asset(USDT, "Tether", 6))
    deposits = Deposits(works=PostgresWorks(database, clock=clock), assets=assets, clock=clock)

    async def give(numbers: range) -> None:
        for number in numbers:
            await deposits.faucet(person(number), USDT, GIVEN, key=uuid4())

    await asyncio.gather(*(give(range(first, PEOPLE, 8)) for first in range(8)))
    await database.aclose()
    return Posting(urls, pid, processes)


@dataclass(frozen=True, slots=True)
class _Pipe:
    process: "subprocess.Popen[str]"
    writing: IO[str]
    reading: IO[str]

    def tell(self, line: str) -> None:
        self.writing.write(line)
        self.writing.flush()

    def heard(self) -> str:
        """Its next line. Raises StartError when it ended instead."""
        line = self.reading.readline()
        if not line:
            raise StartError(f"A poster ended with {self.process.wait()} and said nothing.")
        return line


@contextmanager
def _poster(order: Order) -> Iterator[_Pipe]:
    command = [sys.executable, "-m", "tests.bench.rig.ledger.poster", json.dumps(asdict(order))]
    with subprocess.Popen(  # noqa: S603  # ours
        command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            pipe = _Pipe(process, process.stdin, process.stdout)
            if pipe.heard() != "ready\n":
                raise StartError("A poster did not get ready.")
            yield pipe
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.kill()
