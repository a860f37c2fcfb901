"""Shocks, leaps and a clock set back, in any order: books stay whole and candles stay in line."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from random import Random

import orjson
import pytest

from adapters.sandbox.exchange.candles import INTERVALS
from adapters.sandbox.exchange.simulation import SimulatedMarket
from adapters.sandbox.exchange.venue import Topic, Window
from tests.sandbox.exchange.support import BTC_AND_SOL, HandClock, live, small_market
from tests.sandbox.exchange.test_exchange_books import Merged

LEAPS = [1, 30, 90, 121, 7_200, 86_400, 3 * 86_400, 50 * 86_400, -1, -5, -600, -86_400]
SHOCKS = [Decimal(-30), Decimal(-9), Decimal(1), Decimal(10), Decimal(60)]


class Readers:
    """A client's book of every depth, and listeners to every candle."""

    def __init__(self) -> None:
        self.books: dict[Topic, Merged] = {}

    def wants(self, topic: Topic) -> bool:
        return topic.is_merged or topic.kind.startswith("kline.")

    def publish(self, topic: Topic, frame: str) -> None:
        if topic.kind.startswith("orderbook."):
            self.books.setdefault(topic, Merged(0)).take(orjson.loads(frame))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_to_it_the_market_agrees_with_itself(seed: int) -> None:
    clock, readers, random = HandClock(), Readers(), Random(seed)  # noqa: S311
    market = small_market(clock, seed=seed)
    for _ in range(40):
        live(market, clock, readers, steps=1 + int(random.random() * 20))
        if random.random() < 0.5:
            market.shock(random.choice(BTC_AND_SOL), random.choice(SHOCKS), readers)
        else:
            clock.instant += timedelta(seconds=random.choice(LEAPS))
            market.advance(readers)
        assert_books_agree(market, readers)
    assert_candles_are_in_line(market)


def assert_books_agree(market: SimulatedMarket, readers: Readers) -> None:
    for instrument in BTC_AND_SOL:
        rest = orjson.loads(orjson.dumps(market.order_book(instrument, 200)))
        assert Decimal(rest["b"][0][0]) < Decimal(rest["a"][0][0])
        for depth in (50, 200):
            topic = Topic.book(instrument.category, depth, instrument.symbol)
            merged = readers.books[topic]
            assert merged.levels("b") == rest["b"][:depth]
            assert merged.levels("a") == rest["a"][:depth]


def assert_candles_are_in_line(market: SimulatedMarket) -> None:
    for instrument in BTC_AND_SOL:
        for interval in INTERVALS:
            window = Window(None, None, 1_000)
            rows = asyncio.run(market.candles(instrument, interval, window))
            starts = [int(row[0]) for row in rows]
            assert starts == sorted(set(starts), reverse=True)
            if interval not in "WM":
                assert len({newer - older for older, newer in pairwise(starts)}) == 1
            for newer, older in pairwise(rows):
                assert newer[1] == older[4]
            for row in rows:
                opened, high, low, close = map(Decimal, row[1:5])
                assert low <= min(opened, close) <= max(opened, close) <= high
