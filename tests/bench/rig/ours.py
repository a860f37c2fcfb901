"""The product as it runs: PostgreSQL, Valkey, a publisher in the feed's place, web processes."""

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count

from adapters.clock import SystemClock
from adapters.postgres import Database, PostgresInstruments
from adapters.sandbox.servers import Servers, ensure
from adapters.supervisor.children import OPERATIONS_VARIABLE
from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol
from domain.market import Instrument, InstrumentStatus
from tests.bench.rig import prices
from tests.bench.rig.machine import Cores, pinned
from tests.bench.rig.rhythm import Rhythm
from tests.bench.rig.started import Running, listening, port_of, process, served
from tests.world import create_migrated_database, make_data_dir, remove_data_dir

# A thousand clients of one machine are a flood by every rule; none of these is what is measured.
RAISED = {
    "OKD_FLOOD_LIMIT": "100000000/minute",
    "OKD_CONNECTIONS_PER_ADDRESS": "100000",
    "OKD_SOCKETS_PER_ADDRESS": "100000",
}
# Port 9 is nobody's: the venue is never asked, every price is in Redis already.
_NOWHERE = "127.0.0.1:9"


@dataclass(frozen=True)
class Ground:
    """The databases of a batch, the catalogue filled; rounds take prefixes of their own."""

    servers: Servers
    database_url: str
    cores: Cores
    extra: Mapping[str, str]
    rounds: Iterator[int] = field(default_factory=count)

    def environment(self) -> dict[str, str]:
        return {
            "OKD_ENVIRONMENT": "sandbox",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.servers.redis_url,
            "OKD_REDIS_PREFIX": f"bench{next(self.rounds)}",
            "OKD_SECRET_KEY": secrets.token_hex(32),
            "OKD_BYBIT_ENVIRONMENT": "sandbox",
            "OKD_BYBIT_REST_URL": f"http://{_NOWHERE}",
            "OKD_BYBIT_WS_URL": f"ws://{_NOWHERE}",
            "OKD_CATEGORIES": "LINEAR",
            "OKD_DRAIN_SECONDS": "0",
            "OKD_LOG_FORMAT": "json",
            "OKD_LOG_LEVEL": "warning",
            **RAISED,
            **self.extra,
        }

    def on(self, cores: Cores) -> "Ground":
        """The same databases, the web processes on other cores."""
        return replace(self, cores=cores)

    def beside(self) -> dict[str, int]:
        state = self.servers.status()
        found = {} if state is None else state.servers
        return {n: s.pid for n, s in found.items() if s.pid is not None and n == "valkey"}


@contextmanager
def ground(cores: Cores, extra: Mapping[str, str]) -> Iterator[Ground]:
    """``extra``: more settings for the web processes."""
    data_dir = make_data_dir()
    try:
        with pinned(cores.load), ensure(data_dir) as servers:
            urls = asyncio.run(_prepared(servers))
            yield Ground(servers, urls, cores, extra)
    finally:
        remove_data_dir(data_dir)


async def _prepared(servers: Servers) -> str:
    urls = await create_migrated_database(servers, "okd_bench")
    database = Database(urls.app, role="bench", pool_size=1)
    try:
        instruments = PostgresInstruments(database, clock=SystemClock())
        every = [instrument(index) for index in range(prices.SYMBOLS_MAX)]
        await instruments.replace(Category.LINEAR, every)
    finally:
        await database.aclose()
    return urls.app


def instrument(index: int) -> Instrument:
    return Instrument(
        id=InstrumentId(Category.LINEAR, Symbol(prices.symbol_of(index))),
        base_asset=AssetCode(f"S{index:02d}"),
        quote_asset=AssetCode("USDT"),
        settle_asset=AssetCode("USDT"),
        status=InstrumentStatus.TRADING,
        tick_size=Decimal("0.10"),
        quantity_step=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal("1190.000"),
        min_notional=Decimal(5),
        max_leverage=Decimal("100.00"),
        funding_interval_minutes=480,
        launched_at=None,
    )


def publisher(
    base: Ground, environment: Mapping[str, str], rhythm: Rhythm
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """Who publishes the prices, in the feed's place."""
    command = [sys.executable, "-m", "tests.bench.rig.publisher"]
    return process(command, {**environment, **rhythm.environment()}, base.cores.load)


@contextmanager
def product(base: Ground, rhythm: Rhythm, *, processes: int = 1) -> Iterator[Running]:
    """``app.py web``, as many as asked on one socket, and who publishes the prices."""
    environment = base.environment()
    with ExitStack() as stack:
        feed = stack.enter_context(publisher(base, environment, rhythm))
        bound = stack.enter_context(listening())
        operations = [stack.enter_context(listening()) for _ in range(processes)]
        webs = [
            stack.enter_context(
                served(
                    [sys.executable, "app.py", "web"],
                    environment,
                    [base.cores.server[number % len(base.cores.server)]],
                    bound,
                    {OPERATIONS_VARIABLE: own},
                )
            )
            for number, own in enumerate(operations)
        ]
        yield Running(
            port=port_of(bound),
            pids=tuple(web.pid for web in webs),
            source=feed.pid,
            beside={"publisher": feed.pid, **base.beside()},
            operations=tuple(port_of(own) for own in operations),
        )
