"""What a slow taker gets, and what it must never miss."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.market import (
    Candle,
    Conflater,
    Follow,
    Publication,
    Slot,
    Trades,
    ticker_topic,
    trades_topic,
)
from domain.market.conflation import CANDLES_MAX, TRADES_MAX, joined
from tests.domain.doubles import book, candle, linear, ticker, trades

BTC = ticker_topic(linear("BTCUSDT"))


def kept(*updates) -> list[Any]:
    slot = Slot()
    for update in updates:
        slot.put(update)
    return list(slot.take())


def test_of_tickers_and_books_the_newest_is_kept():
    assert kept(ticker("BTCUSDT", "1"), ticker("BTCUSDT", "2")) == [ticker("BTCUSDT", "2")]
    assert kept(book("BTCUSDT", sequence=1), book("BTCUSDT", sequence=2)) == [
        book("BTCUSDT", sequence=2)
    ]


def test_every_confirmed_candle_is_kept_and_the_newest():
    made = [
        candle("BTCUSDT", "1"),
        candle("BTCUSDT", "2", confirmed=True),
        candle("BTCUSDT", "3", minute=1),
        candle("BTCUSDT", "4", minute=1, confirmed=True),
        candle("BTCUSDT", "5", minute=2),
        candle("BTCUSDT", "6", minute=2),
    ]

    assert kept(*made) == [made[1], made[3], made[5]]


@given(st.lists(st.booleans(), max_size=80))
def test_no_confirmed_candle_is_ever_missed(confirmations: list[bool]):
    made = [
        candle("BTCUSDT", str(n), minute=n, confirmed=confirmed)
        for n, confirmed in enumerate(confirmations)
    ]

    got = kept(*made)

    assert [c for c in got if c.confirmed] == [c for c in made if c.confirmed]
    assert got[-1:] == made[-1:]


def test_confirmed_candles_are_bounded_and_what_falls_out_is_told():
    slot = Slot()
    lost = sum(
        slot.put(candle("BTCUSDT", "1", minute=n, confirmed=True)) for n in range(CANDLES_MAX + 7)
    )

    got = slot.take()
    assert (len(got), lost) == (CANDLES_MAX, 7)
    assert isinstance(got[-1], Candle)


@given(st.lists(st.lists(st.integers(), max_size=700), min_size=1, max_size=6))
def test_no_trade_is_lost_without_being_counted(batches: list[list[int]]):
    slot = Slot()
    for ids in batches:
        slot.put(trades("BTCUSDT", *ids))
    (got,) = slot.take()

    everything = [str(i) for ids in batches for i in ids]
    assert isinstance(got, Trades)
    assert [t.id for t in got.trades] == everything[-TRADES_MAX:][
        -len(got.trades) or len(everything) :
    ]
    assert len(got.trades) + got.dropped == len(everything)
    assert len(got.trades) <= TRADES_MAX


def test_what_was_dropped_before_is_not_forgotten():
    both = joined(trades("BTCUSDT", 1, dropped=3), trades("BTCUSDT", 2, dropped=4))

    assert ([t.id for t in both.trades], both.dropped) == (["1", "2"], 7)


def test_what_is_put_back_comes_before_what_came_meanwhile():
    slot = Slot()
    slot.put(trades("BTCUSDT", 1))
    taken = slot.take()
    slot.put(trades("BTCUSDT", 2))
    slot.put_back(taken)

    (got,) = slot.take()
    assert isinstance(got, Trades)
    assert [t.id for t in got.trades] == ["1", "2"]


def prices(publications) -> list[tuple[int, str]]:
    return [(p.follow.rate, str(p.update.last_price)) for p in publications]


def test_each_rate_is_let_through_as_often_as_it_says():
    conflater = Conflater()
    conflater.follow([Follow(BTC, 10), Follow(BTC, 1)])
    passed: dict[int, int] = {10: 0, 1: 0}
    for tick in range(101):
        conflater.put([ticker("BTCUSDT", str(tick + 1))])
        for rate, _ in prices(conflater.due(tick * 0.1)):
            passed[rate] += 1

    # Ten seconds of ten batches each: the first at once, and a tenth early is on time.
    assert passed[10] == 101
    assert 11 <= passed[1] <= 12


def test_the_newest_is_what_passes():
    conflater = Conflater()
    conflater.follow([Follow(BTC, 1)])
    conflater.put([ticker("BTCUSDT", "1")])
    assert prices(conflater.due(0.0)) == [(1, "1")]

    conflater.put([ticker("BTCUSDT", "2")])
    conflater.put([ticker("BTCUSDT", "3")])
    assert conflater.due(0.5) == []
    assert prices(conflater.due(1.0)) == [(1, "3")]
    assert conflater.due(2.0) == []


def test_trades_do_not_wait():
    follow = Follow(trades_topic(linear("BTCUSDT")))
    conflater = Conflater()
    conflater.follow([follow])
    for tick in range(3):
        conflater.put([trades("BTCUSDT", tick)])
        assert conflater.due(tick * 0.01) == [Publication(follow, trades("BTCUSDT", tick))]


def test_what_nobody_follows_any_more_is_let_go():
    conflater = Conflater()
    conflater.follow([Follow(BTC, 10)])
    conflater.put([ticker("BTCUSDT", "1")])
    conflater.follow([])

    assert conflater.due(1.0) == []
    conflater.put_back([Publication(Follow(BTC, 10), ticker("BTCUSDT", "1"))])
    assert conflater.due(2.0) == []
