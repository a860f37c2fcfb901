import pytest

from adapters.bybit.wire_topics import served_by, speaks_regularly, wire_topics_of
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Interval, book_topic, candles_topic, ticker_topic, trades_topic

LINEAR = InstrumentId(Category.LINEAR, Symbol("BTCUSDT"))
SPOT = InstrumentId(Category.SPOT, Symbol("BTCUSDT"))


@pytest.mark.parametrize("instrument", [LINEAR, SPOT])
def test_books_and_trades_are_one_topic_each(instrument: InstrumentId) -> None:
    assert wire_topics_of(book_topic(instrument, 1)) == ("orderbook.50.BTCUSDT",)
    assert wire_topics_of(book_topic(instrument, 51)) == ("orderbook.200.BTCUSDT",)
    assert wire_topics_of(trades_topic(instrument)) == ("publicTrade.BTCUSDT",)


def test_a_spot_ticker_needs_the_top_of_the_book_too() -> None:
    assert wire_topics_of(ticker_topic(LINEAR)) == ("tickers.BTCUSDT",)
    assert wire_topics_of(ticker_topic(SPOT)) == ("tickers.BTCUSDT", "orderbook.1.BTCUSDT")


def test_every_interval_is_written_as_the_venue_writes_it() -> None:
    written = [wire_topics_of(candles_topic(LINEAR, i))[0].split(".")[1] for i in Interval]

    assert written == ["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"]


def test_what_is_needed_is_known_with_what_it_serves() -> None:
    ticker, book = ticker_topic(SPOT), book_topic(SPOT, 50)

    assert served_by([ticker, book]) == {
        "tickers.BTCUSDT": (ticker,),
        "orderbook.1.BTCUSDT": (ticker,),
        "orderbook.50.BTCUSDT": (book,),
    }


def test_only_trades_and_candles_may_be_quiet() -> None:
    assert [
        speaks_regularly(f"{kind}.X")
        for kind in ("tickers", "orderbook.1", "orderbook.200", "publicTrade", "kline.D")
    ] == [True, True, True, False, False]
