"""Reading what happened: trades, candles, funding, open interest."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.kernel.clock import Clock
from domain.kernel.errors import BadInput
from domain.kernel.ids import Category, InstrumentId
from domain.market.errors import NoSuchHistory, UnknownInstrument
from domain.market.intervals import Interval
from domain.market.model import Instrument
from domain.market.ports import LiveMarket, VenueCatalogue
from domain.market.service import MarketData
from domain.market.tape import Candle, FundingRate, OpenInterest, Trade, Trades
from domain.market.topics import Follow, candles_topic, trades_topic
from domain.market.watching import only

CANDLES_MAX = 1000
CANDLES_DEFAULT = 200
TRADES_MAX = {Category.SPOT: 60, Category.LINEAR: 1000}
POINTS_MAX = 200
# The venue measures open interest at these only (Bybit v5 open-interest, "intervalTime").
OPEN_INTEREST_INTERVALS = (
    Interval.MINUTE_5,
    Interval.MINUTE_15,
    Interval.MINUTE_30,
    Interval.HOUR_1,
    Interval.HOUR_4,
    Interval.DAY_1,
)
_FUNDING_DEFAULT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CandleWindow:
    """Candles of one interval that begin in [start, end), oldest first."""

    interval: Interval
    start: datetime
    end: datetime
    candles: Sequence[Candle]

    @property
    def rows(self) -> Sequence[Sequence[str | int | bool]]:
        """The same as rows: start in ms, open, high, low, close, volume, turnover, confirmed."""
        return [
            [
                int(c.start.timestamp() * 1000),
                f"{c.open_price:f}",
                f"{c.high_price:f}",
                f"{c.low_price:f}",
                f"{c.close_price:f}",
                f"{c.volume:f}",
                f"{c.turnover:f}",
                c.confirmed,
            ]
            for c in self.candles
        ]


class Tape:
    """The past of known instruments, and what is being added to it."""

    def __init__(
        self, market: MarketData, live: LiveMarket, venue: VenueCatalogue, clock: Clock
    ) -> None:
        self._market = market
        self._live = live
        self._venue = venue
        self._clock = clock

    async def candles(
        self,
        instrument: InstrumentId,
        interval: Interval,
        *,
        start: datetime | None,
        end: datetime | None,
    ) -> CandleWindow | UnknownInstrument | BadInput:
        """A window of at most CANDLES_MAX candles; without a start the last CANDLES_DEFAULT."""
        found = await self._market.instrument(instrument)
        if isinstance(found, UnknownInstrument):
            return found
        until = end or interval.next_start(interval.start_of(self._clock.now()))
        since = start or _back(interval, until, CANDLES_DEFAULT)
        if since >= until:
            return BadInput("from", "has to be before 'to'.")
        if since < _back(interval, until, CANDLES_MAX):
            return BadInput("from", f"a window holds at most {CANDLES_MAX} candles: ask for less.")
        rows = await self._venue.candles(instrument, interval, start=since, end=until)
        return CandleWindow(interval, since, until, rows)

    async def watch_candles(
        self, instrument: InstrumentId, interval: Interval
    ) -> AsyncGenerator[Candle, None] | UnknownInstrument:
        """The candle that is being made, at once and at every change; confirmed ones never miss."""
        found = await self._market.instrument(instrument)
        if isinstance(found, UnknownInstrument):
            return found
        return only(Candle, self._live.watch(Follow(candles_topic(instrument, interval))))

    async def recent_trades(
        self, instrument: InstrumentId, first: int
    ) -> Sequence[Trade] | UnknownInstrument | BadInput:
        """The last trades, newest first."""
        found = await self._market.instrument(instrument)
        if isinstance(found, UnknownInstrument):
            return found
        most = TRADES_MAX[instrument.category]
        if not 1 <= first <= most:
            return BadInput("first", f"ask for 1 to {most} trades of {instrument.category}.")
        return (await self._venue.recent_trades(instrument, first)).trades[::-1]

    async def watch_trades(
        self, instrument: InstrumentId
    ) -> AsyncGenerator[Trades, None] | UnknownInstrument:
        """Every trade, in order; some recent ones at once."""
        found = await self._market.instrument(instrument)
        if isinstance(found, UnknownInstrument):
            return found
        return only(Trades, self._live.watch(Follow(trades_topic(instrument))))

    async def funding_rates(
        self, instrument: InstrumentId, *, start: datetime | None, end: datetime | None, first: int
    ) -> Sequence[FundingRate] | UnknownInstrument | NoSuchHistory | BadInput:
        """Settled funding, newest first; without a start the last 30 days."""
        refused = await self._derivative_refusal(instrument, "funding") or _points(first)
        if refused is not None:
            return refused
        until = end or self._clock.now()
        since = start or until - _FUNDING_DEFAULT
        if since >= until:
            return BadInput("from", "has to be before 'to'.")
        return await self._venue.funding_rates(instrument, start=since, end=until, limit=first)

    async def open_interest(
        self,
        instrument: InstrumentId,
        interval: Interval,
        *,
        start: datetime | None,
        end: datetime | None,
    ) -> Sequence[OpenInterest] | UnknownInstrument | NoSuchHistory | BadInput:
        """Open interest, newest first, at most POINTS_MAX points."""
        refused = await self._derivative_refusal(instrument, "open interest")
        if refused is not None:
            return refused
        if interval not in OPEN_INTEREST_INTERVALS:
            return BadInput("interval", f"use one of {', '.join(OPEN_INTEREST_INTERVALS)}.")
        until = end or self._clock.now()
        since = start or _back(interval, until, POINTS_MAX // 4)
        if since >= until:
            return BadInput("from", "has to be before 'to'.")
        if since < _back(interval, until, POINTS_MAX):
            return BadInput("from", f"a window holds at most {POINTS_MAX} points: ask for less.")
        return await self._venue.open_interest(instrument, interval, start=since, end=until)

    async def _derivative_refusal(
        self, instrument: InstrumentId, what: str
    ) -> UnknownInstrument | NoSuchHistory | None:
        found = await self._market.instrument(instrument)
        if not isinstance(found, Instrument):
            return found
        return NoSuchHistory(instrument, what) if instrument.category is Category.SPOT else None


def _points(first: int) -> BadInput | None:
    if 1 <= first <= POINTS_MAX:
        return None
    return BadInput("first", f"ask for 1 to {POINTS_MAX}.")


def _back(interval: Interval, end: datetime, count: int) -> datetime:
    """``count`` candles before ``end``; a month counts as the longest there is."""
    return end - (interval.length or timedelta(days=31)) * count
