"""A graph of many nodes costs one call per tick, and nothing is remembered."""

from typing import Any

import strawberry

from domain.kernel.cursor import CursorSigner
from domain.kernel.viewer import ANONYMOUS
from domain.market import Catalogue, MarketData, OrderBooks, Tape, Ticker, ticker_topic
from domain.status import StatusBoard
from resolvers.context import Services, context_for
from schema import build_schema
from tests.domain.doubles import (
    KnownMarket,
    ListedInstruments,
    ManualClock,
    Venue,
    instrument,
    linear,
    repriced,
    ticker,
)

SYMBOLS = [f"A{n:02}USDT" for n in range(30)]
QUERY = """{ instruments(category: LINEAR, first: 100) {
  edges { node { symbol ticker { lastPrice instrument { tickSize } } } } } }"""


class CountingMarket(KnownMarket):
    def __init__(self, *known: Any) -> None:
        super().__init__(*known)
        self.calls = 0

    async def latest(self, ids: Any) -> Any:
        self.calls += 1
        return await super().latest(ids)


def product() -> tuple[strawberry.Schema, Services, CountingMarket, ListedInstruments, Venue]:
    rows = ListedInstruments(*map(instrument, SYMBOLS))
    live = CountingMarket(*(ticker(s) for s in SYMBOLS[:-1]))
    venue = Venue(ticker(SYMBOLS[-1]))
    market = MarketData(
        catalogue=Catalogue(rows, ManualClock()),
        live=live,
        venue=venue,
        cursors=CursorSigner(b"k" * 32),
    )
    services = Services(
        market=market,
        books=OrderBooks(market, live, venue),
        tape=Tape(market, live, venue, ManualClock()),
        status=StatusBoard([], ManualClock()),
    )
    return build_schema(), services, live, rows, venue


async def test_thirty_tickers_are_one_look_and_one_call_to_the_venue():
    schema, services, live, rows, venue = product()

    result = await schema.execute(QUERY, context_value=context_for(ANONYMOUS, services))

    assert result.errors is None
    assert result.data is not None
    assert len(result.data["instruments"]["edges"]) == 30
    assert (live.calls, rows.calls, len(venue.asked)) == (1, 1, 1)


async def test_one_context_shows_the_price_of_now_each_time():
    schema, services, live, _, _ = product()
    context = context_for(ANONYMOUS, services)
    query = '{ instrument(category: LINEAR, symbol: "A00USDT") { ticker { lastPrice } } }'
    shown = []
    for price in ("1", "2"):
        known = live.known[ticker_topic(linear("A00USDT"))]
        assert isinstance(known, Ticker)
        live.known[ticker_topic(known.id)] = repriced(known, price)
        result = await schema.execute(query, context_value=context)
        assert result.data is not None
        shown.append(result.data["instrument"]["ticker"]["lastPrice"])

    assert shown == ["1", "2"]
