"""A bank that knows one way of making a transfer only, in a world that is always the same."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias
from uuid import UUID, uuid5

import asyncpg
import orjson
import pytest

from adapters.postgres.tables import METADATA
from adapters.postgres.wallets import PostgresWorks
from adapters.postgres.wallets.work import PostgresWork
from domain.kernel.idempotency import Done
from domain.kernel.ids import UserId
from domain.wallets import Transfer, Transfers
from domain.wallets.booking import Booking
from domain.wallets.limits import UNLIMITED, Allowance, EqualLimits
from domain.wallets.model import EntryId, Posted, available
from tests.wallets.conftest import ASSETS, USDT, Bank
from tests.world import DatabaseUrls

_NAMES = UUID("019ab000-0000-7000-8000-000000000000")
ANN, BOB = UserId(uuid5(_NAMES, "ann")), UserId(uuid5(_NAMES, "bob"))
KEY, OTHER_KEY = uuid5(_NAMES, "key"), uuid5(_NAMES, "other key")
LIMITED = EqualLimits({USDT: Allowance(Decimal(5), Decimal(8), Decimal(10))})

Rows: TypeAlias = dict[str, list[dict[str, Any]]]


class Way(Enum):
    """How a transfer may be made."""

    EITHER = "as the product does"
    SHORT = "in one call"
    LONG = "step by step"


class TheLongWay(Exception):
    """The one call was not enough."""


@dataclass
class OneWay:
    """The works of a bank that knows one way only."""

    works: PostgresWorks
    way: Way

    def begin(self) -> AbstractAsyncContextManager[PostgresWork]:
        if self.way is Way.SHORT:
            raise TheLongWay
        return self.works.begin()

    async def book(self, booking: Booking) -> Posted | Done | None:
        return None if self.way is Way.LONG else await self.works.book(booking)


def going(bank: Bank, way: Way) -> Transfers:
    """The transfers of ``bank``, by one way only."""
    return Transfers(
        works=OneWay(bank.works, way),
        assets=bank.assets,
        recipients=bank.recipients,
        look_ups=bank.look_ups,
        limits=bank.limits,
        clock=bank.clock,
    )


@dataclass
class World:
    """A database that can be made as new, and read whole."""

    bank: Bank
    owner: asyncpg.Connection

    async def anew(self, limits: EqualLimits = UNLIMITED) -> Bank:
        """A bank in which Ann has a hundred, and Bob nothing; always the very same."""
        tables = ", ".join(str(table) for table in METADATA.sorted_tables)
        await self.owner.execute(f"TRUNCATE {tables} RESTART IDENTITY")
        # Impatient: who waits for a twin in these tests waits in vain.
        bank = Bank(self.bank.database, limits=limits, patience_seconds=0.05)
        for asset in ASSETS:
            await bank.assets.add(asset)
        await self.give(bank, "100", OTHER_KEY)
        return bank

    async def give(self, bank: Bank, amount: str, key: UUID) -> None:
        posted = await bank.deposits.faucet(ANN, USDT, Decimal(amount), key=key)
        assert isinstance(posted, Posted)

    async def rows(self) -> Rows:
        """All there is, but for numbers drawn at random: entries are called by their place."""
        entries = await self.owner.fetch("SELECT id FROM wallets.entry ORDER BY position")
        found: Rows = {}
        for table in METADATA.sorted_tables:
            query = f"SELECT to_jsonb(t)::text AS row FROM {table} AS t"  # noqa: S608  # our tables
            texts = [each["row"] for each in await self.owner.fetch(query)]
            for number, entry in enumerate(entries, start=1):
                texts = [text.replace(str(entry["id"]), f"entry {number}") for text in texts]
            read = [orjson.loads(text) for text in texts]
            if str(table) == "events.event":
                read = [row | {"id": None, "traceparent": None} for row in read]
            found[str(table)] = sorted(read, key=repr)
        return found


@pytest.fixture
async def world(bank: Bank, database_urls: DatabaseUrls) -> AsyncIterator[World]:
    owner = await asyncpg.connect(database_urls.owner)
    yield World(bank, owner)
    await owner.close()


def alike(answer: object) -> object:
    """Without what is drawn at random."""
    return replace(answer, entry_id=EntryId(KEY)) if isinstance(answer, Transfer) else answer


@asynccontextmanager
async def locked(world: World) -> AsyncIterator[None]:
    """Ann's wallet, by somebody else."""
    query = "SELECT FROM wallets.balance WHERE account_id = $1 FOR UPDATE"
    await world.owner.execute("BEGIN")
    assert await world.owner.fetchrow(query, available(ANN, USDT).id) is not None
    yield
    await world.owner.execute("ROLLBACK")
