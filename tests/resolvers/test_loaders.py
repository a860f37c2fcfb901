"""A graph of many nodes costs one call per tick, and nothing is remembered."""

from typing import Any

import strawberry

from domain.kernel.cursor import CursorSigner
from domain.kernel.failures import Unavailable
from domain.kernel.viewer import ANONYMOUS
from domain.market import Catalogue, MarketData, OrderBooks, Tape, Ticker, book_topic, ticker_topic
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


async def test_thirty_books_are_one_look():
    schema, services, live, _, venue = product()
    for symbol in SYMBOLS[:20]:
        live.known[book_topic(linear(symbol), 2)] = book(symbol)
    query = """{ instruments(category: LINEAR, first: 100) {
      edges { node { symbol orderBook(depth: 2) { symbol bids { price } } } } } }"""

    result = await schema.execute(query, context_value=context_for(ANONYMOUS, services))

    assert result.errors is None
    assert result.data is not None
    nodes = [edge["node"] for edge in result.data["instruments"]["edges"]]
    assert [node["orderBook"]["symbol"] for node in nodes] == SYMBOLS
    assert live.calls == 1
    # The venue is asked for what nobody follows, and for nothing else.
    assert venue.calls == [("order_book", linear(symbol), 2) for symbol in SYMBOLS[20:]]


async def test_a_book_that_cannot_be_had_spoils_no_other():
    schema, services, live, _, venue = product()
    live.known[book_topic(linear("A00USDT"), 2)] = book("A00USDT")
    venue.failure = Unavailable("exchange")
    query = """{ instruments(category: LINEAR, first: 2) {
      edges { node { orderBook(depth: 2) { symbol } } } } }"""

    result = await schema.execute(query, context_value=context_for(ANONYMOUS, services))

    assert result.data is not None
    books = [edge["node"]["orderBook"] for edge in result.data["instruments"]["edges"]]
    assert books == [{"symbol": "A00USDT"}, None]
    assert [e.original_error for e in result.errors or []] == [venue.failure]


async def test_a_book_of_an_impossible_depth_is_refused_before_anybody_is_asked():
    schema, services, live, _, venue = product()
    query = """{ instrument(category: LINEAR, symbol: "A00USDT") {
      orderBook(depth: 201) { symbol } } }"""

    result = await schema.execute(query, context_value=context_for(ANONYMOUS, services))

    assert result.errors is not None
    assert [e.extensions["code"] for e in result.errors if e.extensions] == ["BAD_INPUT"]
    assert (live.calls, venue.calls) == (0, [])


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
