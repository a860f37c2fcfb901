"""The order book behind the touch: 200 levels a side, in ticks and lots.

Bybit v5 orderbook, after the recorded orderbook.200 (44 s): BTC linear had a level every 1.5 ticks
and 16 changes a frame spread over all ranks, SOL linear a level on every tick and 7 changes near
the touch, BTC spot a level every 5 ticks and 4.5 changes; sizes were log-normal with the mean at
four to nine times the median. The best level is the process's own touch, so ticker, depth 1, trades
and the book cannot disagree.
"""

from bisect import bisect_left, insort
from decimal import Decimal
from random import Random

from adapters.sandbox.exchange.process import InstrumentProcess
from adapters.sandbox.exchange.profiles import BookShape, MarketProfile

LEVELS = 200
SIZE_LOG_DEVIATION = 1.9
SIZES_DRAWN = 512
# Of all changes: a level gets another size, or one goes and another comes at its place or the end.
RESIZED = 0.6


class Side:
    """One side; keys are ticks counted so that the best is the smallest."""

    def __init__(self, random: Random, shape: BookShape, mean_lots: Decimal, *, sign: int) -> None:
        self._random = random
        self._shape = shape
        self._sign = sign
        self.keys: list[int] = []
        self.lots: dict[int, int] = {}
        # Drawing from a list costs a tenth of drawing from the distribution.
        shift = -(SIZE_LOG_DEVIATION**2) / 2
        self._sizes = [
            max(1, round(float(mean_lots) * random.lognormvariate(shift, SIZE_LOG_DEVIATION)))
            for _ in range(SIZES_DRAWN)
        ]

    def lead(self, price: int, lots: int) -> bool:
        """Put the touch first; whether that changed anything."""
        best = price * self._sign
        if self.keys and self.keys[0] == best:
            if self.lots[best] == lots:
                return False
            self.lots[best] = lots
            return True
        crossed = bisect_left(self.keys, best)
        for key in self.keys[:crossed]:
            del self.lots[key]
        del self.keys[:crossed]
        if self.keys and self.keys[0] - best > LEVELS * self._shape.spacing:
            self.keys.clear()  # A shock: nothing of the old book is near.
            self.lots.clear()
        if not self.keys or self.keys[0] != best:
            self._come_down_to(best)
        self.lots[best] = lots
        self._trim()
        return True

    def churn(self, changes: int) -> None:
        """Change this many levels behind the touch."""
        draw = self._random.random
        for _ in range(changes):
            rank = 1 + int((LEVELS - 2) * draw() ** self._shape.near)
            if rank >= len(self.keys):
                continue
            key = self.keys[rank]
            if draw() < RESIZED or self._shape.spacing == 1:
                self.lots[key] = self._size()
                continue
            free = key + 1 if draw() < 0.5 else key - 1  # noqa: PLR2004  # either neighbour
            if free in self.lots or free <= self.keys[0]:
                del self.keys[rank]
                del self.lots[key]
            else:
                insort(self.keys, free)
                self.lots[free] = self._size()
        self._trim()

    def top(self, levels: int) -> dict[int, int]:
        """The best levels as price in ticks to lots, best first."""
        sign, lots = self._sign, self.lots
        return {key * sign: lots[key] for key in self.keys[:levels]}

    def _come_down_to(self, best: int) -> None:
        end = self.keys[0] if self.keys else best + 1
        fresh, key = [best], best + self._gap()
        while key < end:
            fresh.append(key)
            self.lots[key] = self._size()
            key += self._gap()
        self.keys[:0] = fresh

    def _trim(self) -> None:
        for key in self.keys[LEVELS:]:
            del self.lots[key]
        del self.keys[LEVELS:]
        while len(self.keys) < LEVELS:
            key = self.keys[-1] + self._gap()
            if self._sign < 0 and key >= 0:
                return  # Bids end above zero.
            self.keys.append(key)
            self.lots[key] = self._size()

    def _gap(self) -> int:
        spacing = self._shape.spacing
        return 1 + int(self._random.expovariate(1 / (spacing - 0.5))) if spacing > 1 else 1

    def _size(self) -> int:
        return self._sizes[int(self._random.random() * SIZES_DRAWN)]


class Depth:
    """Both sides of one instrument; draws from a generator of its own."""

    def __init__(self, process: InstrumentProcess, market: MarketProfile, *, seed: int) -> None:
        instrument, shape = process.instrument, market.shape
        mean_lots = Decimal(market.mean_size) / instrument.lot
        name = f"{seed}:{instrument.category}:{instrument.symbol}:book"
        self._random = Random(name)  # noqa: S311  # a market to be repeated, not a secret
        self._process = process
        self._shape = shape
        self.bids = Side(self._random, shape, mean_lots, sign=-1)
        self.asks = Side(self._random, shape, mean_lots, sign=1)
        self.changed = False
        self.follow()

    def step(self) -> None:
        """Live 100 ms after the process has."""
        if self._random.random() < self._shape.changes_per_step:
            for side in (self.bids, self.asks):
                changes = self._random.expovariate(2 / self._shape.levels_per_change)
                side.churn(1 + int(changes))
            self.changed = True
        self.follow()

    def follow(self) -> None:
        process = self._process
        bids_led = self.bids.lead(process.bid, process.bid_lots)
        asks_led = self.asks.lead(process.ask, process.ask_lots)
        self.changed = self.changed or bids_led or asks_led
