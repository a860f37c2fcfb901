"""What somebody has, and why: balances, transactions, explanations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class PageAsked:
    """One page of somebody's transactions."""

    query: TransactionQuery
    first: int
    after: str | None

    @property
    def of_any_asset(self) -> "PageAsked":
        """What it has in common with those of the owner's other wallets."""
        return replace(self, query=replace(self.query, asset=None))

    def of(self, asset: AssetCode) -> "PageAsked":
        return replace(self, query=replace(self.query, asset=asset))


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
        return [wallet_of(each, now) for each in found]

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
        return self._page(found, size, after=after)

    async def pages(self, asked: Sequence[PageAsked]) -> Sequence[Page[Transaction] | BadInput]:
        """A page for each, in order; those that differ by their asset alone are one look.

        Raises Unavailable, TimedOut.
        """
        alike: dict[PageAsked, set[AssetCode]] = {}
        for each in asked:
            if each.query.asset is not None:
                alike.setdefault(each.of_any_asset, set()).add(each.query.asset)
        found: dict[PageAsked, Page[Transaction] | BadInput] = {}
        for shared, assets in alike.items():
            for asset, page in (await self._pages(shared, sorted(assets))).items():
                found[shared.of(asset)] = page
        return [
            found[each]
            if each in found
            else await self.transactions(each.query, first=each.first, after=each.after)
            for each in asked
        ]

    async def explain(self, owner: UserId, asset: str) -> Explanation | UnknownAsset:
        """Why the balance of one asset is what it is. Raises Unavailable, TimedOut."""
        known = await self._assets.asset(asset)
        if known is None:
            return UnknownAsset(asset)
        return (await self.explanations(owner, [known.code]))[known.code]

    async def explanations(
        self, owner: UserId, assets: Sequence[AssetCode]
    ) -> Mapping[AssetCode, Explanation]:
        """The balance, the newest entries behind it, and every hold behind what is held.

        They fit: all of it is as of one moment. Raises Unavailable, TimedOut.
        """
        return await self._books.explanations(owner, assets, first=_EXPLAINED_BY)

    async def _pages(
        self, asked: PageAsked, assets: Sequence[AssetCode]
    ) -> Mapping[AssetCode, Page[Transaction] | BadInput]:
        size, place = page_size(asked.first), self._place(asked.after)
        if isinstance(size, BadInput):
            return dict.fromkeys(assets, size)
        if isinstance(place, BadInput):
            return dict.fromkeys(assets, place)
        found = await self._books.transactions_by_asset(
            asked.query, assets, first=size + 1, before=place
        )
        return {
            asset: self._page(found.get(asset, ()), size, after=asked.after) for asset in assets
        }

    def _page(
        self, found: Sequence[Transaction], size: int, *, after: str | None
    ) -> Page[Transaction]:
        edges = [Edge(each, self._cursor(each)) for each in found[:size]]
        return page_of(edges, after=after, more=len(found) > size)

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


def wallet_of(balance: Balance, now: datetime) -> Wallet:
    """``balance`` as it is shown."""
    return Wallet(
        owner=balance.owner,
        asset=balance.asset,
        available=balance.available,
        held=balance.held,
        as_of=now,
        frozen=balance.frozen,
    )
