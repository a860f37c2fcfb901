"""Prices into Redis as the feed role puts them there, without a venue behind.

A process of its own: ``python -m tests.bench.rig.publisher``. Its keys and frames are the
product's (RedisFeedPublisher), its rhythm the one every rival is fed with.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from adapters.clock import SystemClock
from adapters.gateway import run
from adapters.redis import RedisClient, RedisFeedPublisher
from adapters.supervisor import lifeline
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import FeedReport, FeedState, Follow, Publication, Source, Ticker, ticker_topic
from tests.bench.rig import prices
from tests.bench.rig.rhythm import Rhythm

# A hub calls a feed dead after two seconds without a word of it.
_WORD_EVERY_SECONDS = 0.5


class Publisher:
    def __init__(self, redis: RedisClient, symbols: int) -> None:
        self._clock = SystemClock()
        ids = [InstrumentId(Category.LINEAR, Symbol(prices.symbol_of(n))) for n in range(symbols)]
        self._follows = [Follow(ticker_topic(instrument)) for instrument in ids]
        self._publisher = RedisFeedPublisher(redis, always_on=self._follows)
        self._report = FeedReport(Category.LINEAR, FeedState.LIVE, self._clock.now(), epoch=1)
        self._count = 0
        self._turn = asyncio.Lock()

    async def publish(self, indexes: Sequence[int]) -> None:
        async with self._turn:
            self._count += 1
            await self._publisher.publish(self._report, [self._publication(i) for i in indexes])

    async def keep_alive(self) -> None:
        while True:
            await self.publish([])
            await asyncio.sleep(_WORD_EVERY_SECONDS)

    def _publication(self, index: int) -> Publication:
        follow = self._follows[index]
        now = self._clock.now()
        ticker = Ticker(
            id=follow.topic.instrument,
            last_price=Decimal(prices.last_price(self._count)),
            bid_price=Decimal(prices.BID),
            bid_size=Decimal("1.5"),
            ask_price=Decimal(prices.ASK),
            ask_size=Decimal("0.7"),
            high_price_24h=Decimal("66000.10"),
            low_price_24h=Decimal("63000.10"),
            previous_price_24h=Decimal("64500.10"),
            change_24h=Decimal("0.0077"),
            volume_24h=Decimal(prices.VOLUME),
            turnover_24h=Decimal("1171555555.12"),
            mark_price=Decimal("64250.05"),
            index_price=Decimal("64251.00"),
            open_interest=Decimal("52000.1"),
            funding_rate=Decimal("0.0001"),
            next_funding_at=now + timedelta(hours=4),
            as_of=now,
            stale=False,
            source=Source.SANDBOX,
        )
        return Publication(follow, ticker)


async def main() -> None:
    rhythm = Rhythm.told()
    redis = RedisClient(os.environ["REDIS_URL"], prefix=os.environ["OKD_REDIS_PREFIX"])
    publisher = Publisher(redis, rhythm.symbols)
    await publisher.publish(range(rhythm.symbols))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publisher.keep_alive())
        lifeline.announce_ready()
        async for indexes in rhythm.beats():
            await publisher.publish(indexes)


if __name__ == "__main__":
    run(main())
