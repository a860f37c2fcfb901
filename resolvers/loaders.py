"""Loaders: many look-ups of one tick become one call."""

from collections.abc import Sequence
from typing import TypeVar, cast

from aiodataloader import DataLoader

from domain.kernel.failures import Unavailable
from domain.kernel.ids import InstrumentId, UserId
from domain.market import BookAsked, Instrument, MarketData, OrderBook, OrderBooks, Ticker
from domain.users.model import Profile, Settings
from domain.users.ports import Accounts
from domain.wallets import HistoryAsked
from domain.wallets.daily import DailyBalance
from domain.wallets.valuation import Holding, Valuation
from resolvers.wallet_services import WalletServices

T = TypeVar("T")


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
            found = await _needed(accounts, "account service").profiles(ids)
            return [found.get(i) for i in ids]

        async def load_settings(ids: list[UserId]) -> list[Settings]:
            # One person's notifications or wallets, as a rule: one look however many they are.
            known = _needed(accounts, "account service")
            found = {i: await known.settings(i) for i in set(ids)}
            return [found[i] for i in ids]

        async def load_valuations(asked: list[Holding]) -> list[Valuation]:
            return list(await _needed(wallets, "wallet service").values.of(asked))

        async def load_histories(asked: list[HistoryAsked]) -> list[Sequence[DailyBalance]]:
            return list(await _needed(wallets, "wallet service").history.of(asked))

        self.profile: DataLoader[UserId, Profile | None] = DataLoader(load_profiles, cache=False)
        self.settings: DataLoader[UserId, Settings] = DataLoader(load_settings, cache=False)
        self.valuation: DataLoader[Holding, Valuation] = DataLoader(load_valuations, cache=False)
        self.history: DataLoader[HistoryAsked, Sequence[DailyBalance]] = DataLoader(
            load_histories, cache=False
        )
        self.book: DataLoader[BookAsked, OrderBook] = DataLoader(load_books, cache=False)
        self.instrument: DataLoader[InstrumentId, Instrument | None] = DataLoader(
            load_instruments, cache=False
        )
        self.ticker: DataLoader[InstrumentId, Ticker | None] = DataLoader(load_tickers, cache=False)


def _needed(service: T | None, name: str) -> T:
    if service is None:
        raise Unavailable(name)
    return service
