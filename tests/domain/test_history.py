"""Reading books and the past: windows, limits, and who is asked."""

from datetime import datetime, timedelta

import pytest

from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import (
    CandleWindow,
    Catalogue,
    Follow,
    Interval,
    MarketData,
    NoSuchHistory,
    OrderBook,
    OrderBooks,
    Tape,
    TooManyInstruments,
    UnknownInstrument,
    book_topic,
    ticker_topic,
)
from tests.domain.doubles import (
    NOON,
    KnownMarket,
    ListedInstruments,
    ManualClock,
    Venue,
    book,
    instrument,
    linear,
    ticker,
)

BTC = linear("BTCUSDT")
SPOT = InstrumentId(Category.SPOT, Symbol("BTCUSDT"))


class World:
    def __init__(self) -> None:
        self.live = KnownMarket(ticker("BTCUSDT"), ticker("ETHUSDT"))
        self.venue = Venue(ticker("ETHUSDT"), ticker("BTCUSDT"))
        rows = ListedInstruments(
            instrument("BTCUSDT"), instrument("ETHUSDT"), instrument("BTCUSDT", Category.SPOT)
        )
        clock = ManualClock()
        self.market = MarketData(
            catalogue=Catalogue(rows, clock),
            live=self.live,
            venue=self.venue,
            cursors=CursorSigner(b"k" * 32),
        )
        self.books = OrderBooks(self.market, self.live, self.venue)
        self.tape = Tape(self.market, self.live, self.venue, clock)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_followed_book_is_cut_and_the_venue_is_left_alone(world: World):
    world.live.known[book_topic(BTC, 2)] = book("BTCUSDT", depth=50, sequence=7)

    found = await world.books.book(BTC, 2)

    assert isinstance(found, OrderBook)
    assert (found.depth, len(found.bids), len(found.asks), found.sequence) == (2, 2, 2, 7)
    assert world.venue.calls == []


@pytest.mark.parametrize("stale", [None, True])
async def test_what_is_not_followed_or_stale_is_asked_of_the_venue(
    world: World, stale: bool | None
):
    if stale:
        world.live.known[book_topic(BTC, 9)] = book("BTCUSDT", stale=True)

    await world.books.book(BTC, 9)

    assert world.venue.calls == [("order_book", BTC, 9)]


@pytest.mark.parametrize("depth", [0, -1, 201])
async def test_a_depth_is_1_to_200(world: World, depth: int):
    expected = BadInput("depth", f"ask for 1 to 200 levels, not {depth}.")

    assert await world.books.book(BTC, depth) == expected
    assert await world.books.watch(BTC, depth, 5) == expected
    assert world.venue.calls == []


async def test_a_watched_book_is_cut_and_followed_at_its_rate(world: World):
    world.live.known[book_topic(BTC, 1)] = book("BTCUSDT")
    stream = await world.books.watch(BTC, 1, 4)
    assert not isinstance(stream, UnknownInstrument | BadInput)

    assert [len(b.bids) async for b in stream] == [1]
    assert world.live.watched == [Follow(book_topic(BTC, 1), 2)]


@pytest.mark.parametrize("rate", [0, 11])
async def test_a_rate_is_1_to_10(world: World, rate: int):
    refused = BadInput("maxPerSecond", "ask for 1 to 10 values per second.")

    assert await world.books.watch(BTC, 1, rate) == refused
    assert await world.market.watch_many([BTC], rate) == refused


async def test_a_window_of_candles_ends_with_the_one_being_made(world: World):
    window = await world.tape.candles(BTC, Interval.HOUR_1, start=None, end=None)

    assert isinstance(window, CandleWindow)
    end = NOON + timedelta(hours=1)
    assert (window.start, window.end) == (end - timedelta(hours=200), end)
    assert world.venue.calls == [("candles", BTC, Interval.HOUR_1, window.start, end)]
    ((start_ms, *prices, confirmed),) = window.rows
    assert (start_ms, confirmed) == (int(NOON.timestamp() * 1000), False)
    assert prices == ["1", "1", "1", "1", "1", "1"]


@pytest.mark.parametrize(
    ("interval", "start", "allowed"),
    [
        (Interval.MINUTE_1, timedelta(minutes=1000), True),
        (Interval.MINUTE_1, timedelta(minutes=1001), False),
        (Interval.MONTH_1, timedelta(days=31 * 1000), True),
        (Interval.DAY_1, timedelta(0), False),
        (Interval.DAY_1, timedelta(days=-1), False),
    ],
)
async def test_a_window_holds_1_to_1000_candles(
    world: World, interval: Interval, start: timedelta, allowed: bool
):
    end = NOON + timedelta(days=31 * 500)
    found = await world.tape.candles(BTC, interval, start=end - start, end=end)

    assert isinstance(found, CandleWindow) is allowed
    assert bool(world.venue.calls) is allowed
    if not allowed:
        assert isinstance(found, BadInput)
        assert found.argument == "from"


@pytest.mark.parametrize(("where", "most"), [(BTC, 1000), (SPOT, 60)])
async def test_recent_trades_come_newest_first_within_the_venues_limit(
    world: World, where: InstrumentId, most: int
):
    found = await world.tape.recent_trades(where, 3)

    assert not isinstance(found, UnknownInstrument | BadInput)
    assert [t.id for t in found] == ["2", "1", "0"]
    assert isinstance(await world.tape.recent_trades(where, most + 1), BadInput)


async def test_spot_has_no_funding_and_no_open_interest(world: World):
    funding = await world.tape.funding_rates(SPOT, start=None, end=None, first=5)
    interest = await world.tape.open_interest(SPOT, Interval.HOUR_1, start=None, end=None)

    assert funding == NoSuchHistory(SPOT, "funding")
    assert interest == NoSuchHistory(SPOT, "open interest")
    assert world.venue.calls == []


@pytest.mark.parametrize("interval", [Interval.MINUTE_1, Interval.WEEK_1])
async def test_open_interest_has_six_intervals(world: World, interval: Interval):
    assert isinstance(await world.tape.open_interest(BTC, interval, start=None, end=None), BadInput)


async def test_funding_of_the_last_month_by_default(world: World):
    await world.tape.funding_rates(BTC, start=None, end=None, first=7)

    month_ago: datetime = NOON - timedelta(days=30)
    assert world.venue.calls == [("funding_rates", BTC, month_ago, NOON, 7)]


async def test_many_tickers_are_one_stream(world: World):
    eth = linear("ETHUSDT")
    stream = await world.market.watch_many([BTC, eth, BTC], 10)
    assert not isinstance(stream, UnknownInstrument | BadInput | TooManyInstruments)

    assert {t.symbol async for t in stream} == {"BTCUSDT", "ETHUSDT"}
    assert world.live.watched == [Follow(ticker_topic(BTC)), Follow(ticker_topic(eth))]


async def test_a_whole_category_costs_one_call(world: World):
    world.live.known.clear()
    page = await world.market.all_tickers(Category.LINEAR, first=10, after=None)

    assert not isinstance(page, BadInput)
    assert [edge.node.symbol for edge in page.edges] == ["BTCUSDT", "ETHUSDT"]
    assert len(world.venue.asked) == 1


@pytest.mark.parametrize(
    ("text", "first"), [("btc", "BTCUSDT"), ("eth/usdt", "ETHUSDT"), ("BTCUSD", "BTCUSDT")]
)
async def test_an_instrument_is_found_by_what_people_type(world: World, text: str, first: str):
    found = await world.market.search(text, Category.LINEAR, first=5)

    assert not isinstance(found, BadInput)
    assert found[0].symbol == first


@pytest.mark.parametrize("text", ["", "  ", "x" * 41])
async def test_a_search_needs_a_few_characters(world: World, text: str):
    assert isinstance(await world.market.search(text, None, first=5), BadInput)


async def test_nonsense_finds_nothing(world: World):
    assert await world.market.search("qqqqqq", None, first=5) == []
