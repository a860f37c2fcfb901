"""What somebody has, and why: balances, transactions, explanations."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import Balance, Explanation, Transaction, Wallet
from domain.wallets.ports import Assets, Books, Place, TransactionQuery

_LIST = "transactions"
_EXPLAINED_BY = 20


class Statements:
    """Reads wallets. Who may see whose is decided before."""

    def __init__(
        self, *, books: Books, assets: Assets, cursors: CursorSigner, clock: Clock
    ) -> None:
        self._books = books
        self._assets = assets
        self._cursors = cursors
        self._clock = clock

    async def wallets(self, owner: UserId) -> Sequence[Wallet]:
        """Every asset the owner ever had, in the order of codes. Raises Unavailable, TimedOut."""
        now = self._clock.now()
        found = (await self._books.balances([owner])).get(owner, ())
        return [Wallet(owner, each.asset, each.available, each.held, now) for each in found]

    async def wallet(self, owner: UserId, asset: str) -> Wallet | UnknownAsset | None:
        """The owner's wallet of one asset; nothing when they never had any."""
        if await self._assets.asset(asset) is None:
            return UnknownAsset(asset)
        wallets = await self.wallets(owner)
        return next((each for each in wallets if each.asset == asset), None)

    async def balances(self, owners: Sequence[UserId]) -> Mapping[UserId, Sequence[Balance]]:
        """Every asset an owner ever had, in the order of codes. Raises Unavailable, TimedOut."""
        found = await self._books.balances(owners)
        return {owner: found.get(owner, ()) for owner in owners}

    async def transactions(
        self, query: TransactionQuery, *, first: int, after: str | None
    ) -> Page[Transaction] | BadInput:
        """Newest first; a page never shifts, because nothing is ever put in between."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        place = self._place(after)
        if isinstance(place, BadInput):
            return place
        found = await self._books.transactions(query, first=size + 1, before=place)
        edges = [Edge(each, self._cursor(each)) for each in found[:size]]
        return page_of(edges, after=after, more=len(found) > size)

    async def explain(self, owner: UserId, asset: str) -> Explanation | UnknownAsset:
        """The balance, the newest entries behind it, and every hold behind what is held.

        Balance and reasons are read one after the other: the balance is the newest entry's own, so
        that they fit.
        """
        known = await self._assets.asset(asset)
        if known is None:
            return UnknownAsset(asset)
        query = TransactionQuery(owner, known.code)
        holds = await self._books.open_holds(owner, known.code)
        transactions = await self._books.transactions(query, first=_EXPLAINED_BY, before=None)
        balances = (await self._books.balances([owner])).get(owner, ())
        none = Balance(owner, known.code, Decimal(0), Decimal(0))
        balance = next((each for each in balances if each.asset == known.code), none)
        return Explanation(_as_of(balance, transactions), tuple(transactions), tuple(holds))

    def _place(self, after: str | None) -> Place | BadInput | None:
        if after is None:
            return None
        opened = self._cursors.open(_LIST, after)
        if isinstance(opened, BadInput):
            return opened
        position, _, asset = opened.partition("|")
        return Place(int(position), AssetCode(asset))

    def _cursor(self, transaction: Transaction) -> str:
        return self._cursors.sign(_LIST, f"{transaction.position}|{transaction.asset}")


def _as_of(balance: Balance, transactions: Sequence[Transaction]) -> Balance:
    """The balance right after the newest of ``transactions``, where they say it."""
    available = next(
        (t.available_after for t in transactions if t.available_after is not None), None
    )
    held = next((t.held_after for t in transactions if t.held_after is not None), None)
    return replace(
        balance,
        available=balance.available if available is None else available,
        held=balance.held if held is None else held,
    )
