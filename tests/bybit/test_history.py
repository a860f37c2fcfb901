"""Books, trades, candles and rates over REST, read from the vendor's documented answers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.bybit import BybitRest
from adapters.clock import SystemClock
from adapters.resilience import Breakers, CircuitBreaker
from domain.kernel.failures import Rejected, Unavailable
from domain.kernel.ids import Category, InstrumentId, Side, Symbol
from domain.market import FundingRate, Interval, Level, OpenInterest, Source, Trade
from tests.bybit.rest_venue import Reply, RestVenue, ok, refusal, rest_venue

Json = dict[str, Any]
BTC = InstrumentId(Category.LINEAR, Symbol("BTCUSDT"))
SPOT = InstrumentId(Category.SPOT, Symbol("BTCUSDT"))
HOUR = timedelta(hours=1)
# The documented candles begin on 2022-12-09 at 16, 17 and 18 o'clock.
T16 = datetime(2022, 12, 9, 16, tzinfo=UTC)


@pytest.fixture
def venue() -> Iterator[RestVenue]:
    with rest_venue() as running:
        yield running


@pytest.fixture
def breaker() -> CircuitBreaker:
    return Breakers(SystemClock()).of("bybit-rest", what="exchange")


@pytest.fixture
async def rest(venue: RestVenue, breaker: CircuitBreaker) -> AsyncIterator[BybitRest]:
    client = BybitRest(venue.addresses, clock=SystemClock(), breaker=breaker, timeout_seconds=2)
    yield client
    await client.close()


@pytest.fixture
def documented(recordings: Path) -> Callable[[str], Reply]:
    def answer(page: str) -> Reply:
        text = (recordings.parent / "docs" / f"market__{page}.json").read_bytes()
        return Reply(orjson.loads(text)["examples"][0]["json"])

    return answer


async def test_reads_the_documented_book(
    rest: BybitRest, venue: RestVenue, documented: Callable[[str], Reply]
) -> None:
    venue.answers(documented("orderbook"))
    book = await rest.order_book(SPOT, 50)

    assert venue.asked == [
        ("/v5/market/orderbook", {"category": "spot", "symbol": "BTCUSDT", "limit": "50"})
    ]
    assert book.bids == (Level(Decimal("65485.47"), Decimal("47.081829")),)
    assert book.asks == (Level(Decimal("65557.7"), Decimal("16.606555")),)
    assert (book.id, book.depth, book.sequence) == (SPOT, 50, 1432604333)
    assert (book.stale, book.source) == (False, Source.SANDBOX)
    assert book.as_of == datetime(2024, 5, 28, 2, 35, 18, 905000, tzinfo=UTC)  # cts


async def test_a_book_is_sorted_and_never_deeper_than_asked(
    rest: BybitRest, venue: RestVenue
) -> None:
    levels = {"b": [["1", "1"], ["3", "1"], ["2", "1"]], "a": [["9", "1"], ["8", "2"], ["7", "0"]]}
    venue.answers(ok({"s": "BTCUSDT", "ts": 1716863719031, "u": 5, **levels}))
    book = await rest.order_book(BTC, 2)

    assert [str(level.price) for level in book.bids] == ["3", "2"]
    assert [str(level.price) for level in book.asks] == ["8", "9"]


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"b": [["2", "1"]], "a": [["1", "1"]], "u": 1, "ts": 1716863719031},  # crossed
        {"b": [["2", "1"]], "a": [], "u": 1},
        {"b": [[2, 1]], "a": [], "u": 1, "ts": 1716863719031},
    ],
)
async def test_a_book_that_makes_no_sense_is_unavailable(
    rest: BybitRest, venue: RestVenue, result: Json
) -> None:
    venue.answers(ok(result))

    with pytest.raises(Unavailable):
        await rest.order_book(BTC, 50)


async def test_reads_the_documented_trades(
    rest: BybitRest, venue: RestVenue, documented: Callable[[str], Reply]
) -> None:
    venue.answers(documented("recent-trade"))
    found = await rest.recent_trades(SPOT, 1000)

    assert venue.asked[0][1]["limit"] == "60"  # all that spot gives
    at = datetime(2022, 12, 26, 11, 9, 15, 758000, tzinfo=UTC)
    price, quantity = Decimal("16618.49"), Decimal("0.00012")
    assert found.trades == [Trade("2100000000007764263", price, quantity, Side.BUY, at)]
    assert (found.dropped, found.stale, found.source) == (0, False, Source.SANDBOX)
    assert found.as_of == datetime(2022, 12, 26, 11, 10, 54, 358000, tzinfo=UTC)


async def test_trades_are_turned_to_oldest_first(rest: BybitRest, venue: RestVenue) -> None:
    def row(trade_id: str, time_ms: int) -> Json:
        return {"execId": trade_id, "price": "1", "size": "1", "side": "Sell", "time": str(time_ms)}

    rows = [row("4", 1672052955759), row("3", 1672052955758), row("2", 1672052955758)]
    venue.answers(ok({"list": [*rows, row("1", 1672052955757)]}))
    found = await rest.recent_trades(BTC, 5000)

    assert [trade.id for trade in found.trades] == ["1", "2", "3", "4"]
    assert venue.asked[0][0] == "/v5/market/recent-trade"
    assert venue.asked[0][1]["limit"] == "1000"


async def test_reads_the_documented_candles(
    rest: BybitRest, venue: RestVenue, documented: Callable[[str], Reply]
) -> None:
    venue.answers(documented("kline"))
    found = await rest.candles(BTC, Interval.HOUR_1, start=T16, end=T16 + 4 * HOUR)

    assert venue.asked == [
        (
            "/v5/market/kline",
            {
                "category": "linear",
                "symbol": "BTCUSDT",
                "interval": "60",
                "start": "1670601600000",
                "end": "1670615999999",
                "limit": "1000",
            },
        )
    ]
    assert [candle.start for candle in found] == [T16, T16 + HOUR, T16 + 2 * HOUR]
    first = found[0]
    assert (first.open_price, first.high_price, first.low_price, first.close_price) == (
        *map(Decimal, ("17086.5", "17088", "16978", "17071.5")),
    )
    assert (first.volume, first.turnover) == (Decimal(6356), Decimal("0.37288112"))
    assert all(candle.confirmed and not candle.stale for candle in found)
    assert {candle.source for candle in found} == {Source.SANDBOX}


@pytest.mark.parametrize(
    ("answered_after", "confirmed"),
    [
        (HOUR - timedelta(milliseconds=1), [False, False]),
        (HOUR, [True, False]),
        (2 * HOUR, [True, True]),
    ],
)
async def test_a_candle_is_final_once_it_ended_by_the_venues_clock(
    rest: BybitRest, venue: RestVenue, answered_after: timedelta, confirmed: list[bool]
) -> None:
    start_ms = 1670601600000
    rows = [[str(start_ms + i * 3_600_000), *"111111"] for i in (1, 0)]
    time_ms = start_ms + answered_after // timedelta(milliseconds=1)
    venue.answers(ok({"list": rows}, time=time_ms))
    found = await rest.candles(BTC, Interval.HOUR_1, start=T16, end=T16 + 2 * HOUR)

    assert [candle.confirmed for candle in found] == confirmed
    assert {candle.as_of for candle in found} == {T16 + answered_after}


async def test_a_range_of_candles_holds_its_start_and_not_its_end(
    rest: BybitRest, venue: RestVenue, documented: Callable[[str], Reply]
) -> None:
    # Whatever the venue gives more.
    venue.answers(documented("kline"))
    found = await rest.candles(BTC, Interval.HOUR_1, start=T16 + HOUR, end=T16 + 2 * HOUR)

    assert [candle.start for candle in found] == [T16 + HOUR]
    assert venue.asked[0][1]["end"] == "1670608799999"


async def test_an_empty_range_asks_nothing(rest: BybitRest, venue: RestVenue) -> None:
    assert await rest.candles(BTC, Interval.DAY_1, start=T16, end=T16) == ()
    assert venue.asked == []


@pytest.mark.parametrize("row", [None, [], ["1670601600000"], ["x", *"111111"], [1, 2, 3]])
async def test_a_chart_with_a_hole_is_not_shown(
    rest: BybitRest, venue: RestVenue, row: object
) -> None:
    venue.answers(ok({"list": [["1670605200000", *"111111"], row]}))

    with pytest.raises(Unavailable):
        await rest.candles(BTC, Interval.HOUR_1, start=T16, end=T16 + 2 * HOUR)


async def test_reads_the_documented_open_interest(
    rest: BybitRest, venue: RestVenue, documented: Callable[[str], Reply]
) -> None:
    venue.answers(documented("open-interest"))
    end = datetime(2026, 6, 9, tzinfo=UTC)
    found = await rest.open_interest(BTC, Interval.DAY_1, start=end - timedelta(days=3), end=end)

    path, query = venue.asked[0]
    assert path == "/v5/market/open-interest"
    assert (query["intervalTime"], query["limit"]) == ("1d", "200")
    assert (query["startTime"], query["endTime"]) == ("1780704000000", "1780963200000")
    assert [value.at for value in found] == [end - timedelta(days=i) for i in range(4)]
    assert found[0] == OpenInterest(BTC, Decimal("63910691.00000000"), end)
    assert found[3].quantity == Decimal("63942311.00000000")


async def test_open_interest_of_an_odd_interval_is_a_bug(rest: BybitRest) -> None:
    with pytest.raises(ValueError, match="open interest"):
        await rest.open_interest(BTC, Interval.WEEK_1, start=T16, end=T16)


async def test_reads_funding_newest_first(rest: BybitRest, venue: RestVenue) -> None:
    # Bybit v5 "Get Funding Rate History"; the page has no example in the corpus.
    rows = [
        {"symbol": "BTCUSDT", "fundingRate": rate, "fundingRateTimestamp": str(1670601600000 + ms)}
        for rate, ms in (("-0.00012", 28_800_000), ("0.0001", 0))
    ]
    venue.answers(ok({"category": "linear", "list": rows}))
    found = await rest.funding_rates(BTC, start=T16, end=T16 + 8 * HOUR, limit=500)

    assert venue.asked == [
        (
            "/v5/market/funding/history",
            {
                "category": "linear",
                "symbol": "BTCUSDT",
                "startTime": "1670601600000",
                "endTime": "1670630400000",
                "limit": "200",
            },
        )
    ]
    assert found == [
        FundingRate(BTC, Decimal("-0.00012"), T16 + 8 * HOUR),
        FundingRate(BTC, Decimal("0.0001"), T16),
    ]


async def test_a_spot_pair_has_neither_funding_nor_open_interest(
    rest: BybitRest, venue: RestVenue
) -> None:
    end = T16 + HOUR
    assert await rest.funding_rates(SPOT, start=T16, end=end, limit=200) == ()
    assert await rest.open_interest(SPOT, Interval.HOUR_1, start=T16, end=end) == ()
    assert venue.asked == []


ASKS: dict[str, Callable[[BybitRest], Awaitable[object]]] = {
    "book": lambda rest: rest.order_book(BTC, 50),
    "trades": lambda rest: rest.recent_trades(BTC, 10),
    "candles": lambda rest: rest.candles(BTC, Interval.DAY_1, start=T16, end=T16 + HOUR),
    "funding": lambda rest: rest.funding_rates(BTC, start=T16, end=T16 + HOUR, limit=1),
    "interest": lambda rest: rest.open_interest(BTC, Interval.DAY_1, start=T16, end=T16 + HOUR),
}


@pytest.mark.parametrize("name", list(ASKS))
async def test_every_read_is_retried_and_refusals_are_not(
    rest: BybitRest, venue: RestVenue, name: str
) -> None:
    venue.answers(Reply(status=502, raw=b"<html>"), refusal(10001))
    with pytest.raises(Rejected):
        await ASKS[name](rest)

    assert len(venue.asked) == 2


@pytest.mark.parametrize("name", list(ASKS))
async def test_every_read_refuses_an_answer_without_its_parts(
    rest: BybitRest, venue: RestVenue, name: str
) -> None:
    venue.answers(ok({"nothing": []}))

    with pytest.raises(Unavailable):
        await ASKS[name](rest)
