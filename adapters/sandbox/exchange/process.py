"""The price process: one coin's fair value, and what each instrument makes of it.

Everything is an integer (nano-USDT, ticks, lots) drawn from `random.Random` seeded per coin and per
instrument, so a seed and a sequence of instants give the same market to the last digit. The linear
and the spot instrument of a coin hang on the same fair value, each with its basis: they move
together, as they do where arbitrage exists.

The rates are read off the recording (Bybit v5 public tickers, 44 s): a BTC linear delta every 230
ms on a grid of 100 ms, 57 % of them with a new bid, 31 % ask, 22 % mark price, 15 % index price, 6
% last price. Trades happen at the touch and take from it, and nowhere else: last price, 24 h,
candles and tape all follow from them.
"""

from collections import deque
from dataclasses import replace
from decimal import Decimal
from random import Random

from adapters.sandbox.exchange.contracts import Contracts
from adapters.sandbox.exchange.fair_value import FairValue
from adapters.sandbox.exchange.history import History, Leg, Minutes, Path
from adapters.sandbox.exchange.instruments import Instrument
from adapters.sandbox.exchange.pace import (
    MINUTE_MS,
    MOVES_PER_STEP,
    PPM,
    STEP_MS,
    STEPS_PER_MINUTE,
)
from adapters.sandbox.exchange.profiles import NANO, Profile
from adapters.sandbox.exchange.statistics import Bar, RollingDay
from adapters.sandbox.exchange.trades import KEPT, Trade, fills, order_lots

# Chances per step while the touch stands still, from the shares of deltas above.
BID_CHANGES, ASK_CHANGES = 0.22, 0.12
MARK_CHANGES, INDEX_CHANGES, FUNDING_CHANGES = 0.09, 0.065, 0.002
# Chances per trade: buyers and sellers alike; a third of trades open or close positions on balance.
BUYS, OPEN_INTEREST_CHANGES = 0.5, 0.3
SPREAD_TICKS = 1


class InstrumentProcess:
    """One instrument's touch, last trade, 24 h, mark price, open interest and funding."""

    def __init__(
        self, instrument: Instrument, profile: Profile, fair: FairValue, *, seed: int, now_ms: int
    ) -> None:
        market = profile.market(instrument.category)
        self.instrument = instrument
        self.fair = fair
        self._seed = seed
        self._random = Random(f"{seed}:{instrument.category}:{instrument.symbol}")  # noqa: S311  # see above
        self._basis_ppm = market.basis_ppm
        self._tick_nano = int(instrument.tick * NANO)
        self._trades_per_step = market.trades_per_step
        self._lots_per_minute = int(market.volume_per_day / instrument.lot) // (24 * 60)
        self._lots_at_touch = int(Decimal(market.size_at_touch) / instrument.lot)
        self.open_interest_lots = int(profile.open_interest / instrument.lot)
        self.funding_rate_e8 = profile.funding_rate_e8
        self._funding_cap_e8 = int(Decimal(instrument.funding_cap) * 10**8)
        # Born from the clock, all only grow: a restarted exchange never runs behind its earlier
        # self.
        self.cross_sequence = now_ms
        self.update_id = now_ms // STEP_MS
        self._trade_number = now_ms
        self.bid = self._fair_ticks()
        self.bid_lots = self.ask_lots = self._lots_at_touch
        self.last = self.bid
        self.tick_direction = "ZeroPlusTick"
        self.index_nano = fair.nano
        self.mark_nano = self._fair_nano()
        self.tape: deque[Trade] = deque(maxlen=KEPT)
        self.fresh: list[Trade] = []  # since they were last published
        self.history = History(self._minutes_of, self._ticks)
        self.contracts = Contracts(
            instrument, seed=seed, lots=self.open_interest_lots, rate_e8=self.funding_rate_e8
        )
        self.day = RollingDay(
            minute=now_ms // MINUTE_MS, price=self.last, closed=self.history.close
        )

    @property
    def ask(self) -> int:
        return self.bid + SPREAD_TICKS

    @property
    def trades(self) -> int:
        """Grows with every trade."""
        return self._trade_number

    def step(self, now_ms: int) -> None:
        """Live 100 ms; the fair value has made its step already."""
        draw = self._random.random
        minute = now_ms // MINUTE_MS
        if minute > self.day.minute:
            self.day.roll(minute)
            self.contracts.live(now_ms, lots=self.open_interest_lots, rate_e8=self.funding_rate_e8)
        self.cross_sequence += 1 + int(draw() * 50)
        bid = self.bid
        requoted = self._requote()
        moved = self.bid != bid
        if moved or draw() < self._trades_per_step:
            self._trade(now_ms)
            requoted = True
        self.update_id += requoted
        if moved or draw() < MARK_CHANGES:
            noise = self._random.gauss(0, 10)
            self.mark_nano = self._fair_nano() * (PPM + round(noise)) // PPM
        if moved or draw() < INDEX_CHANGES:
            self.index_nano = self.fair.nano
        if draw() < FUNDING_CHANGES:
            drifted = self.funding_rate_e8 + round(self._random.gauss(0, 60))
            self.funding_rate_e8 = max(-self._funding_cap_e8, min(self._funding_cap_e8, drifted))

    def minute(self, minute: int, path: Path, *, taped: bool) -> None:
        """Live a whole past minute along the fair value's path, trade by trade when `taped`."""
        if minute <= self.day.minute:
            return  # The clock was set back and has leapt: this minute has been lived.
        opened, high, low, close = (self._ticks(nano) for nano in path)
        lots = 1 + round(self._lots_per_minute * self._random.expovariate(1))
        if taped:
            self._trade_along(minute, (opened, high, low, close), lots)
            return
        average = (opened + high + low + close) // 4
        self.day.append(Bar(minute, opened, high, low, close, lots, lots * average))
        self.last = close

    def skip(self, legs: list[Leg]) -> None:
        """Leave minutes to whoever looks at them: a past before birth, or a leap from now on."""
        if self.day.bars:
            # A clock once set back leaps over minutes that have been lived: they stay as they were.
            coming = self.day.minute + 1
            legs = [replace(leg, first=max(leg.first, coming)) for leg in legs if leg.last > coming]
        if legs:
            self.day.end_minute()
            self.history.skip(legs)

    def settle(self) -> None:
        """Stand where the fair value stands now: after a history or a leap of the clock."""
        self.update_id += self._requote()
        self.index_nano = self.fair.nano
        self.mark_nano = self._fair_nano()

    def react(self, now_ms: int) -> None:
        """Follow a shock at once: touch, a trade there, mark and index."""
        self.settle()
        self.cross_sequence += 1
        self._trade(now_ms)

    def _requote(self) -> bool:
        draw = self._random.random
        bid = self._fair_ticks()
        moved = bid != self.bid
        new_bid, new_ask = moved or draw() < BID_CHANGES, moved or draw() < ASK_CHANGES
        self.bid = bid
        if new_bid:
            self.bid_lots = self._touch_lots()
        if new_ask:
            self.ask_lots = self._touch_lots()
        return new_bid or new_ask

    def _trade(self, now_ms: int) -> None:
        """One order takes from the touch, never all of it: the next quote is the fair value's."""
        is_buy = self._random.random() < BUYS
        price, offered = (self.ask, self.ask_lots) if is_buy else (self.bid, self.bid_lots)
        mean = self._lots_per_minute / (STEPS_PER_MINUTE * (self._trades_per_step + MOVES_PER_STEP))
        lots = order_lots(self._random, mean, max(1, offered - 1))
        left = max(1, offered - lots)
        if is_buy:
            self.ask_lots = left
        else:
            self.bid_lots = left
        for part in fills(self._random, lots):
            self.fresh.append(self._fill(now_ms, price, part, is_buy=is_buy))
        if self._random.random() < OPEN_INTEREST_CHANGES:
            change = round(lots * self._random.uniform(-1, 1))
            self.open_interest_lots = max(1, self.open_interest_lots + change)

    def _trade_along(self, minute: int, path: Path, lots: int) -> None:
        """Fill a past minute with trades that open, peak, sink and close it."""
        opened, high, low, close = path
        count = 4 + round(STEPS_PER_MINUTE * (self._trades_per_step + MOVES_PER_STEP))
        prices = [round(self._random.uniform(low, high)) for _ in range(count)]
        prices[0], prices[-1] = opened, close
        extremes = [high, low] if self._random.random() < BUYS else [low, high]
        prices[count // 3], prices[count * 2 // 3] = extremes
        times = sorted(int(self._random.random() * MINUTE_MS) for _ in range(count))
        for time_ms, price in zip(times, prices, strict=True):
            self.cross_sequence += 1 + int(self._random.random() * 50)
            part = 1 + int(lots / count * self._random.expovariate(1))
            is_buy = self._random.random() < BUYS
            self._fill(minute * MINUTE_MS + time_ms, price, part, is_buy=is_buy)

    def _fill(self, time_ms: int, price: int, lots: int, *, is_buy: bool) -> Trade:
        self.tick_direction = _direction(self.tick_direction, price - self.last)
        self.last = price
        self._trade_number += 1
        self.day.trade(minute=time_ms // MINUTE_MS, price=price, lots=lots)
        trade = Trade(
            self._trade_number,
            time_ms,
            price,
            lots,
            is_buy,
            self.cross_sequence,
            self.tick_direction,
        )
        self.tape.append(trade)
        return trade

    def _minutes_of(self, leg: Leg) -> Minutes:
        name = f"{self.instrument.category}:{self.instrument.symbol}:{leg.first}"
        random = Random(f"{self._seed}:{name}")  # noqa: S311  # a market to be repeated
        minutes = Minutes(leg.first, self._ticks(leg.opened))
        for minute, path in enumerate(self.fair.walk(leg), leg.first):
            opened, high, low, close = (self._ticks(nano) for nano in path)
            lots = 1 + round(self._lots_per_minute * random.expovariate(1))
            turnover = lots * ((opened + high + low + close) // 4)
            minutes.add(Bar(minute, opened, high, low, close, lots, turnover))
        return minutes

    def _touch_lots(self) -> int:
        return 1 + round(self._lots_at_touch * self._random.uniform(0.2, 1.8))

    def _fair_nano(self) -> int:
        return self.fair.nano * (PPM + self._basis_ppm) // PPM

    def _fair_ticks(self) -> int:
        return self._ticks(self.fair.nano)

    def _ticks(self, nano: int) -> int:
        return max(1, nano * (PPM + self._basis_ppm) // PPM // self._tick_nano)


def _direction(before: str, change: int) -> str:
    if change == 0:
        return before if before.startswith("Zero") else f"Zero{before}"
    return "PlusTick" if change > 0 else "MinusTick"
