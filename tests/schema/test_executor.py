"""A subscription that lives for months keeps nothing of what it sent."""

import gc
from collections.abc import AsyncGenerator
from typing import Any

from graphql.execution.collect_fields import FieldDetails

from domain.kernel.cursor import CursorSigner
from domain.kernel.viewer import ANONYMOUS
from domain.market import Catalogue, Follow, MarketData, OrderBooks, Tape, Update
from domain.status import StatusBoard
from resolvers.context import Services, context_for
from schema import build_schema
from tests.domain.doubles import (
    KnownMarket,
    ListedInstruments,
    ManualClock,
    Venue,
    book,
    instrument,
)

BOOKS = """subscription {
  orderBook(instrument: {category: LINEAR, symbol: "BTCUSDT"}, depth: 3) {
    sequence bids { price quantity } costToTrade(side: BUY, quantity: "1") { filled } } }"""


class EndlessBooks(KnownMarket):
    async def watch(self, follow: Follow) -> AsyncGenerator[Update, None]:
        sequence = 0
        while True:
            sequence += 1
            yield book("BTCUSDT", sequence=sequence)


def kept() -> int:
    gc.collect()
    return sum(isinstance(thing, FieldDetails) for thing in gc.get_objects())


async def test_nothing_is_kept_of_an_event_that_was_sent():
    clock, live, venue = ManualClock(), EndlessBooks(), Venue()
    market = MarketData(
        catalogue=Catalogue(ListedInstruments(instrument("BTCUSDT")), clock),
        live=live,
        venue=venue,
        cursors=CursorSigner(b"k" * 32),
    )
    services = Services(
        market=market,
        books=OrderBooks(market, live, venue),
        tape=Tape(market, live, venue, clock),
        status=StatusBoard([], clock),
    )
    source: Any = await build_schema().subscribe(
        BOOKS, context_value=context_for(ANONYMOUS, services)
    )
    seen = 0
    counts = []
    async for result in source:
        assert result.errors is None
        seen += 1
        if seen % 50 == 0:
            counts.append(kept())
        if seen == 200:
            break
    await source.aclose()

    assert counts == [counts[0]] * 4
