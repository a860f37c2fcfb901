"""Loaders: many look-ups of one tick become one call."""

from typing import cast

from aiodataloader import DataLoader

from domain.kernel.failures import Unavailable
from domain.kernel.ids import InstrumentId, UserId
from domain.market import BookAsked, Instrument, MarketData, OrderBook, OrderBooks, Ticker
from domain.users.model import Locale, Profile
from domain.users.ports import Accounts
from resolvers.wallet_loaders import WalletLoaders
from resolvers.wallet_services import WalletServices


class Loaders:
    """One set per context.

    They batch and do not cache: a context of a WebSocket may live for hours, and a price that was
    right when the socket opened must not be served for the rest of its life.
    """

    def __init__(
        self,
        market: MarketData,
        books: OrderBooks,
        accounts: Accounts | None = None,
        wallets: WalletServices | None = None,
    ) -> None:
        async def load_instruments(ids: list[InstrumentId]) -> list[Instrument | None]:
            found = await market.instruments_by_id(frozenset(ids))
            return [found.get(i) for i in ids]

        async def load_tickers(ids: list[InstrumentId]) -> list[Ticker | None]:
            found = await market.newest(frozenset(ids))
            return [found.get(i) for i in ids]

        async def load_books(asked: list[BookAsked]) -> list[OrderBook]:
            # A failure among the values is raised by load(): what comes out of it are books.
            return cast("list[OrderBook]", list(await books.books(asked)))

        async def load_profiles(ids: list[UserId]) -> list[Profile | None]:
            found = await _needed(accounts).profiles(ids)
            return [found.get(i) for i in ids]

        async def load_locales(ids: list[UserId]) -> list[Locale]:
            # One person's notifications, as a rule: one look however many they are.
            found = {i: (await _needed(accounts).settings(i)).locale for i in set(ids)}
            return [found[i] for i in ids]

        self.profile: DataLoader[UserId, Profile | None] = DataLoader(load_profiles, cache=False)
        self.locale: DataLoader[UserId, Locale] = DataLoader(load_locales, cache=False)
        self.book: DataLoader[BookAsked, OrderBook] = DataLoader(load_books, cache=False)
        self.instrument: DataLoader[InstrumentId, Instrument | None] = DataLoader(
            load_instruments, cache=False
        )
        self.wallets = WalletLoaders(wallets)
        self.ticker: DataLoader[InstrumentId, Ticker | None] = DataLoader(load_tickers, cache=False)


def _needed(accounts: Accounts | None) -> Accounts:
    if accounts is None:
        raise Unavailable("account service")
    return accounts
