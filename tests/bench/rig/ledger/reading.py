"""What people read of their wallets, as the product reads it, from books of different length."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import quantiles

from adapters.postgres import Database
from adapters.postgres.wallets import PostgresBooks
from domain.kernel.ids import UserId
from domain.wallets.model import EntryKind
from domain.wallets.ports import Place, TransactionQuery
from tests.bench.rig.ledger.filling import BEGAN, BTC, FEW, VERY_MANY, Books
from tests.bench.rig.ledger.poster import USDT
from tests.bench.rig.rounds import Sample

WARM, MEASURED = 20, 200
PAGE = 20
WHO: Mapping[str, UserId] = {"few postings": FEW, "very many": VERY_MANY}

Read = Callable[[], Awaitable[int]]
"""Returns how much was found: an empty answer would be quick, and wrong."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One user's reads of one database."""

    books: PostgresBooks
    owner: UserId
    entries: int

    async def balances(self) -> int:
        return len((await self.books.balances([self.owner]))[self.owner])

    async def newest(self) -> int:
        return await self._page(TransactionQuery(self.owner))

    async def deep(self) -> int:
        """Behind a cursor in the middle of all entries."""
        return await self._page(TransactionQuery(self.owner), Place(self.entries // 2, USDT))

    async def one_asset(self) -> int:
        """Of which there is one line, the oldest of all."""
        return await self._page(TransactionQuery(self.owner, asset=BTC))

    async def one_kind(self) -> int:
        """Of which there are two lines, the oldest of all."""
        kinds = frozenset({EntryKind.DEPOSIT})
        return await self._page(TransactionQuery(self.owner, kinds=kinds))

    async def long_ago(self) -> int:
        """The first hour of the books, as a statement asks for a month."""
        query = TransactionQuery(self.owner, since=BEGAN, until=BEGAN + timedelta(hours=1))
        return await self._page(query)

    async def sent(self) -> int:
        """What every transfer asks for, to hold it against the limits: the last thirty days."""
        now = BEGAN + timedelta(seconds=self.entries)
        return int((await self.books.sent(self.owner, USDT, now=now)).month.amount)

    async def _page(self, query: TransactionQuery, before: Place | None = None) -> int:
        # One more than is shown tells whether there is a next page: as Statements asks.
        return len(await self.books.transactions(query, first=PAGE + 1, before=before))


READS: Mapping[str, Callable[[Reader], Read]] = {
    "balances": lambda reader: reader.balances,
    "newest page": lambda reader: reader.newest,
    "page in the middle": lambda reader: reader.deep,
    "one asset": lambda reader: reader.one_asset,
    "one kind": lambda reader: reader.one_kind,
    "a time long ago": lambda reader: reader.long_ago,
    "sent in 30 days": lambda reader: reader.sent,
}


async def measured(books: Books, owner: UserId, what: str) -> Sample:
    """p50 and p99 of one read, again and again, over one connection."""
    database = Database(books.urls.app, role="bench", pool_size=1, timeout_seconds=60)
    try:
        read = READS[what](Reader(PostgresBooks(database), owner, books.lines // 2))
        for _ in range(WARM):
            assert await read() > 0, what
        taken = []
        for _ in range(MEASURED):
            began = time.perf_counter()
            await read()
            taken.append((time.perf_counter() - began) * 1e3)
    finally:
        await database.aclose()
    percentiles = quantiles(taken, n=100)
    return {"p50_ms": percentiles[49], "p99_ms": percentiles[98]}
