"""The price process: one coin's fair value, and what each instrument makes of it.

Everything is an integer (nano-USDT, ticks, lots) drawn from `random.Random` seeded per coin and per
instrument, so a seed and a sequence of instants give the same market to the last digit. The linear
and the spot instrument of a coin hang on the same fair value, each with its basis: they move
together, as they do where arbitrage exists.

The rates are read off the recording (Bybit v5 public tickers, 44 s): a BTC linear delta every 230
ms on a grid of 100 ms, 57 % of them with a new bid, 31 % ask, 22 % mark price, 15 % index price, 6
% last price; the touch stood still for seconds and then jumped, so volatility arrives in moves (one
in 50 steps) and not as a tremble.
"""

from decimal import Decimal
from random import Random

from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.profiles import NANO, Profile
from adapters.sandbox.exchange.statistics import MINUTE_MS, Bar, RollingDay

STEP_MS = 100
STEPS_PER_MINUTE = MINUTE_MS // STEP_MS
STEPS_PER_DAY = 24 * 60 * STEPS_PER_MINUTE
MOVES_PER_STEP = 0.02
# Chances per step while the touch stands still, from the shares of deltas above.
BID_CHANGES, ASK_CHANGES = 0.22, 0.12
MARK_CHANGES, INDEX_CHANGES, FUNDING_CHANGES = 0.09, 0.065, 0.002
# Chances per trade: buyers and sellers alike; a third of trades open or close positions on balance.
BUYS, OPEN_INTEREST_CHANGES = 0.5, 0.3
SPREAD_TICKS = 1
PPM = 1_000_000


class FairValue:
    """One coin's value in nano-USDT; also its index price."""

    def __init__(self, base: str, profile: Profile, *, seed: int) -> None:
        self.base = base
        self.nano = profile.price_nano
        self._random = Random(f"{seed}:{base}")  # noqa: S311  # a market to be repeated, not a secret
        daily_ppb = profile.daily_volatility_ppm * 1000
        self._move_ppb = daily_ppb / (STEPS_PER_DAY * MOVES_PER_STEP) ** 0.5
        self._minute_ppb = daily_ppb / (24 * 60) ** 0.5

    def step(self) -> None:
        if self._random.random() < MOVES_PER_STEP:
            self._move(round(self._random.gauss(0, self._move_ppb)))

    def minute(self) -> tuple[int, int, int, int]:
        """Walk a whole minute at once: open, high, low, close."""
        opened = self.nano
        self._move(round(self._random.gauss(0, self._minute_ppb)))
        above, below = (abs(round(self._random.gauss(0, self._minute_ppb / 2))) for _ in range(2))
        high = max(opened, self.nano) * (NANO + above) // NANO
        low = min(opened, self.nano) * (NANO - below) // NANO
        return opened, high, low, self.nano

    def shock(self, percent: Decimal) -> None:
        self._move(int(percent * 10**7))

    def _move(self, ppb: int) -> None:
        self.nano = max(1, self.nano * (NANO + ppb) // NANO)


class InstrumentProcess:
    """One instrument's touch, last trade, 24 h, mark price, open interest and funding."""

    def __init__(
        self, instrument: Instrument, profile: Profile, fair: FairValue, *, seed: int, now_ms: int
    ) -> None:
        market = profile.linear if instrument.category is Category.LINEAR else profile.spot
        self.instrument = instrument
        self.fair = fair
        self._random = Random(f"{seed}:{instrument.category}:{instrument.symbol}")  # noqa: S311  # see above
        self._basis_ppm = market.basis_ppm
        self._tick_nano = int(instrument.tick * NANO)
        self._trades_per_step = market.trades_per_step
        self._lots_per_minute = int(market.volume_per_day / instrument.lot) // (24 * 60)
        self._lots_at_touch = int(Decimal(market.size_at_touch) / instrument.lot)
        self.open_interest_lots = int(profile.open_interest / instrument.lot)
        self.funding_rate_e8 = profile.funding_rate_e8
        self._funding_cap_e8 = int(Decimal(instrument.funding_cap) * 10**8)
        # Born from the clock, both only grow: a restarted exchange never runs behind its earlier
        # self.
        self.cross_sequence = now_ms
        self.update_id = now_ms // STEP_MS
        self.bid = self._fair_ticks()
        self.bid_lots = self.ask_lots = self._lots_at_touch
        self.last = self.bid
        self.tick_direction = "ZeroPlusTick"
        self.index_nano = fair.nano
        self.mark_nano = self._fair_nano()
        self.trades = 0
        self.day = RollingDay(minute=now_ms // MINUTE_MS, price=self.last)

    @property
    def ask(self) -> int:
        return self.bid + SPREAD_TICKS

    def step(self, now_ms: int) -> None:
        """Live 100 ms; the fair value has made its step already."""
        draw = self._random.random
        self.cross_sequence += 1 + int(draw() * 50)
        moved = self._requote()
        if moved or draw() < self._trades_per_step:
            self._trade(now_ms)
        if moved or draw() < MARK_CHANGES:
            noise = self._random.gauss(0, 10)
            self.mark_nano = self._fair_nano() * (PPM + round(noise)) // PPM
        if moved or draw() < INDEX_CHANGES:
            self.index_nano = self.fair.nano
        if draw() < FUNDING_CHANGES:
            drifted = self.funding_rate_e8 + round(self._random.gauss(0, 60))
            self.funding_rate_e8 = max(-self._funding_cap_e8, min(self._funding_cap_e8, drifted))
        self.day.roll(now_ms // MINUTE_MS)

    def minute(self, minute: int, path: tuple[int, int, int, int]) -> None:
        """Live a whole past minute along the fair value's path."""
        opened, high, low, close = (self._ticks(nano) for nano in path)
        lots = 1 + round(self._lots_per_minute * self._random.expovariate(1))
        average = (opened + high + low + close) // 4
        self.day.append(Bar(minute, opened, high, low, close, lots, lots * average))
        self.last = close

    def settle(self) -> None:
        """Stand where the fair value stands now: after a history or a leap of the clock."""
        self._requote()
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
        self.update_id += new_bid or new_ask
        return moved

    def _trade(self, now_ms: int) -> None:
        price = self.ask if self._random.random() < BUYS else self.bid
        per_trade = self._lots_per_minute / (
            STEPS_PER_MINUTE * (self._trades_per_step + MOVES_PER_STEP)
        )
        lots = 1 + round(per_trade * self._random.expovariate(1))
        self.tick_direction = _direction(self.tick_direction, price - self.last)
        self.last = price
        self.trades += 1
        self.day.trade(minute=now_ms // MINUTE_MS, price=price, lots=lots)
        if self._random.random() < OPEN_INTEREST_CHANGES:
            change = round(lots * self._random.uniform(-1, 1))
            self.open_interest_lots = max(1, self.open_interest_lots + change)

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
