"""A process that posts as fast as its clients can: ``python -m tests.bench.rig.ledger.poster``.

It says ``ready``, is told the moment of the start on its standard input, and answers in JSON. The
pool, the loop and the garbage collector are those of a web process.
"""

import asyncio
import json
import random
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from uuid import UUID, uuid4

import uvloop

from adapters.clock import SystemClock
from adapters.gateway.server.collector import settle
from adapters.postgres import Database
from adapters.postgres.wallets import PostgresAssets, PostgresWorks
from adapters.postgres.wallets.journal import PostgresLedger
from adapters.settings import Settings
from domain.kernel.ids import AssetCode, UserId
from domain.wallets import Transfer, TransferFunds, Transfers, ledger
from domain.wallets.limits import Allowance, EqualLimits
from domain.wallets.model import Posted, Recipient

USDT = AssetCode("USDT")
PEOPLE = 1000
# As many connections as a web process has: more clients than that take turns, as they do there.
POOL = Settings.model_fields["database_pool_size"].default
POST, TRANSFER = "post", "transfer"
_AMOUNT = Decimal("0.01")
# Never reached, and looked at by every transfer.
_ALLOWED = Allowance(Decimal(1000), Decimal(100_000), Decimal(1_000_000))
_NAMES = UUID("019ab000-0000-7000-8000-000000000000").int

Act = Callable[[UserId, UserId], Awaitable[None]]


def person(number: int) -> UserId:
    """The same people in every process and every round."""
    return UserId(UUID(int=_NAMES + number))


@dataclass(frozen=True, slots=True)
class Order:
    """What a process is to do."""

    what: str
    url: str
    clients: int
    warm_seconds: float
    seconds: float
    seed: int


@dataclass(slots=True)
class Told:
    """What it saw within the measured window."""

    done: int = 0
    cpu_seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)


class Anybody:
    """Who can receive money, and how often one may ask: other domains are not what is measured."""

    async def can_receive(self, user_id: UserId) -> bool:
        return True

    async def of_email(self, email: str) -> UserId | None:
        return None

    def mark(self, email: str) -> str:
        return email

    async def shown(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Recipient]:
        return {}

    async def wait_seconds(self, asker: UserId, mark: str) -> int | None:
        return None


def act_of(what: str, database: Database) -> Act:
    """One posting, the transaction of which is that call, or the whole use case."""
    clock = SystemClock()
    works = PostgresWorks(database, clock=clock)
    assets = PostgresAssets(database, clock=clock)
    transfers = Transfers(
        works=works,
        assets=assets,
        recipients=Anybody(),
        look_ups=Anybody(),
        limits=EqualLimits(otherwise=_ALLOWED),
        clock=clock,
    )

    async def post(sender: UserId, recipient: UserId) -> None:
        entry = ledger.transfer(sender, recipient, USDT, _AMOUNT, at=clock.now())
        async with database.one_call() as unit:
            answer = await PostgresLedger(unit).post(entry)
        assert isinstance(answer, Posted), answer

    async def transfer(sender: UserId, recipient: UserId) -> None:
        wish = TransferFunds(sender, recipient, USDT, _AMOUNT, uuid4())
        answer = await transfers.transfer(wish)
        assert isinstance(answer, Transfer), answer

    return {POST: post, TRANSFER: transfer}[what]


async def run(order: Order) -> Told:
    database = Database(order.url, role="bench", pool_size=min(order.clients, POOL))
    act = act_of(order.what, database)
    # Every connection is open and has prepared its statements before the start.
    await asyncio.gather(*(act(person(n), person(n + 1)) for n in range(order.clients)))
    settle()
    print("ready", flush=True)  # noqa: T201  # the other end of a pipe reads it
    start = float(await asyncio.to_thread(sys.stdin.readline)) + order.warm_seconds
    end = start + order.seconds
    told = Told()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_account(told, start, end))
        for number in range(order.clients):
            dice = random.Random(order.seed * 1000 + number)  # noqa: S311  # the same every time
            tasks.create_task(_client(act, dice, told, start, end))
    await database.aclose()
    return told


async def _client(act: Act, dice: random.Random, told: Told, start: float, end: float) -> None:
    while (began := time.monotonic()) < end:
        sender, recipient = dice.sample(range(PEOPLE), 2)
        await act(person(sender), person(recipient))
        done = time.monotonic()
        if start <= done < end:
            told.done += 1
            told.latencies_ms.append((done - began) * 1e3)


async def _account(told: Told, start: float, end: float) -> None:
    await asyncio.sleep(start - time.monotonic())
    before = time.process_time()
    await asyncio.sleep(end - time.monotonic())
    told.cpu_seconds = time.process_time() - before


if __name__ == "__main__":
    seen = json.dumps(asdict(uvloop.run(run(Order(**json.loads(sys.argv[1]))))))
    # Buffered whatever PYTHONUNBUFFERED says: unbuffered, what a pipe does not take is lost.
    with open(sys.stdout.fileno(), "w", encoding="ascii", closefd=False) as answer:
        answer.write(f"{seen}\n")
