"""Merged books against a naive model, against faults, and against the recorded session."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from adapters.bybit.books import BookMerge
from adapters.bybit.parse import Frame, FrameKind, Unusable, frame_of
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market import Level, OrderBook, Source

Json = dict[str, Any]
Prices = dict[Decimal, Decimal]
T0 = datetime(2026, 8, 9, tzinfo=UTC)
A = InstrumentId(Category.LINEAR, Symbol("AUSDT"))
DEPTH = 5


def merge_of_a() -> BookMerge:
    return BookMerge(A, DEPTH, Source.BYBIT)


def book_frame(
    kind: FrameKind, u: int, bids: Sequence[Sequence[str]] = (), asks: Sequence[Sequence[str]] = ()
) -> Frame:
    data = {"b": [list(b) for b in bids], "a": [list(a) for a in asks], "u": u, "s": "AUSDT"}
    return Frame("orderbook.50.AUSDT", kind, data, T0)


def snapshot(u: int, bids: Sequence[Sequence[str]], asks: Sequence[Sequence[str]]) -> Frame:
    return book_frame(FrameKind.SNAPSHOT, u, bids, asks)


def delta(u: int, bids: Sequence[Sequence[str]] = (), asks: Sequence[Sequence[str]] = ()) -> Frame:
    return book_frame(FrameKind.DELTA, u, bids, asks)


def shown(levels: Sequence[Level]) -> list[tuple[str, str]]:
    return [(str(level.price), str(level.quantity)) for level in levels]


def applied(side: Prices, changes: Sequence[Sequence[str]], *, falling: bool) -> Prices:
    """What a schoolbook would do: a dict, sorted anew each time."""
    merged = dict(side)
    for price, quantity in changes:
        merged[Decimal(price)] = Decimal(quantity)
    left = sorted(((p, q) for p, q in merged.items() if q), reverse=falling)
    return dict(left[:DEPTH])


def assert_sound(book: OrderBook) -> None:
    bids, asks = [x.price for x in book.bids], [x.price for x in book.asks]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert not bids or not asks or bids[0] < asks[0]
    assert all(level.quantity > 0 for level in (*book.bids, *book.asks))
    assert max(len(bids), len(asks)) <= book.depth


prices = st.integers(1, 24).map(lambda tick: f"{tick / 2:.2f}")
# The same price in another notation is the same level.
spelt = prices.flatmap(lambda price: st.sampled_from([price, price.rstrip("0").rstrip(".")]))
quantities = st.sampled_from(["0", "0.0", "1", "2.50", "3e-8"])
changes = st.lists(st.tuples(spelt, quantities), max_size=8)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.booleans(), changes, changes), max_size=15))
def test_a_merged_book_equals_a_naive_model_and_is_never_shown_crossed(
    frames: list[tuple[bool, list[tuple[str, str]], list[tuple[str, str]]]],
) -> None:
    merge = merge_of_a()
    model: tuple[Prices, Prices] | None = None
    for u, (is_snapshot, bids, asks) in enumerate(frames, start=1):
        kind = FrameKind.SNAPSHOT if is_snapshot else FrameKind.DELTA
        found = merge.apply(book_frame(kind, u, bids, asks))

        before = ({}, {}) if is_snapshot else model
        if before is None:
            assert found == Unusable("delta_before_snapshot")
            continue
        model = applied(before[0], bids, falling=True), applied(before[1], asks, falling=False)
        if model[0] and model[1] and next(iter(model[0])) >= next(iter(model[1])):
            assert found == Unusable("crossed_book")
            model = None
            continue
        assert isinstance(found, OrderBook)
        assert_sound(found)
        assert [(x.price, x.quantity) for x in found.bids] == list(model[0].items())
        assert [(x.price, x.quantity) for x in found.asks] == list(model[1].items())
        assert found.sequence == u


class FaultyWire(RuleBasedStateMachine):
    """A sound venue behind a wire that loses, repeats and swaps frames."""

    def __init__(self) -> None:
        super().__init__()
        self.merge = merge_of_a()
        self.truth: dict[int, tuple[Prices, Prices]] = {}
        self.u = 0
        self.wire: list[Frame] = []
        self.next_u: int | None = None

    @initialize()
    def begin(self) -> None:
        self.u = 1
        self.truth[1] = {Decimal(5): Decimal(1)}, {Decimal(7): Decimal(1)}

    @rule(bids=changes, asks=changes)
    def market_moves(self, bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
        bids = [(p, q) for p, q in bids if Decimal(p) < 6]
        asks = [(p, q) for p, q in asks if Decimal(p) > 6]
        before = self.truth[self.u]
        self.u += 1
        self.truth[self.u] = (
            applied(before[0], bids, falling=True),
            applied(before[1], asks, falling=False),
        )
        self.wire.append(delta(self.u, bids, asks))

    @rule()
    def deliver(self) -> None:
        while self.wire:
            self.receive(self.wire.pop(0))

    @rule()
    def lose(self) -> None:
        del self.wire[:1]

    @rule()
    def repeat(self) -> None:
        self.wire[:0] = self.wire[:1]

    @rule()
    def swap(self) -> None:
        self.wire[:2] = self.wire[:2][::-1]

    @rule()
    def resubscribe(self) -> None:
        bids, asks = self.truth[self.u]
        levels = [[(f"{p:f}", f"{q:f}") for p, q in side.items()] for side in (bids, asks)]
        self.wire.append(snapshot(self.u, *levels))

    def receive(self, frame: Frame) -> None:
        assert isinstance(frame.data, dict)
        u = frame.data["u"]
        found = self.merge.apply(frame)
        fits = frame.kind is FrameKind.SNAPSHOT or u == self.next_u
        if not fits:
            assert found == Unusable(
                "out_of_sequence" if self.next_u is not None else "delta_before_snapshot"
            )
            self.next_u = None
            return
        assert isinstance(found, OrderBook)
        assert_sound(found)
        bids, asks = self.truth[u]
        assert [(x.price, x.quantity) for x in found.bids] == list(bids.items())
        assert [(x.price, x.quantity) for x in found.asks] == list(asks.items())
        self.next_u = u + 1


TestFaultyWire = FaultyWire.TestCase
TestFaultyWire.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_levels_are_set_deleted_and_kept_in_order() -> None:
    merge = merge_of_a()
    merge.apply(snapshot(7, [("10", "1"), ("9.5", "2")], [("11", "1")]))
    found = merge.apply(
        delta(8, [("9.75", "3"), ("9.5", "0"), ("3", "0")], [("10.5", "4"), ("11.0", "5")])
    )

    assert isinstance(found, OrderBook)
    assert shown(found.bids) == [("10", "1"), ("9.75", "3")]
    assert shown(found.asks) == [("10.5", "4"), ("11.0", "5")]
    assert (found.sequence, found.depth, found.id, found.as_of) == (8, DEPTH, A, T0)
    assert not found.stale


def test_a_book_that_was_shown_never_changes_afterwards() -> None:
    merge = merge_of_a()
    first = merge.apply(snapshot(1, [("10", "1")], [("11", "1")]))
    merge.apply(delta(2, [("10", "9"), ("10.5", "1")], [("11", "0")]))

    assert isinstance(first, OrderBook)
    assert shown(first.bids) == [("10", "1")]
    assert shown(first.asks) == [("11", "1")]


@pytest.mark.parametrize("u", [7, 6, 9, 1])
def test_what_is_out_of_sequence_needs_a_snapshot(u: int) -> None:
    merge = merge_of_a()
    merge.apply(snapshot(7, [("10", "1")], []))

    assert merge.apply(delta(u)) == Unusable("out_of_sequence")
    assert merge.apply(delta(8)) == Unusable("delta_before_snapshot")
    assert isinstance(merge.apply(snapshot(1, [], [])), OrderBook)
    assert isinstance(merge.apply(delta(2)), OrderBook)


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"b": [], "a": []},
        {"b": [], "a": [], "u": "8"},
        {"b": [], "a": [], "u": True},
        {"b": [["1"]], "a": [], "u": 8},
        {"b": [[1.5, "1"]], "a": [], "u": 8},
        {"b": [["0", "1"]], "a": [], "u": 8},
        {"b": [["1", "-1"]], "a": [], "u": 8},
        {"b": [["NaN", "1"]], "a": [], "u": 8},
        {"b": [["1", ""]], "a": [], "u": 8},
        {"b": {}, "a": [], "u": 8},
    ],
)
def test_a_frame_that_makes_no_sense_makes_the_book_unknown(data: object) -> None:
    merge = merge_of_a()
    merge.apply(snapshot(7, [("10", "1")], []))

    assert isinstance(merge.apply(Frame("orderbook.50.AUSDT", FrameKind.DELTA, data, T0)), Unusable)
    assert merge.apply(delta(8)) == Unusable("delta_before_snapshot")


# -- the recorded mainnet session of 2026-08-09 ------------------------------------------------

LAST = {
    (Category.LINEAR, "BTCUSDT"): (414, ("65114.20", "5.974"), ("65114.30", "9.060")),
    (Category.LINEAR, "SOLUSDT"): (383, ("77.260", "1041.8"), ("77.270", "356.1")),
    (Category.SPOT, "BTCUSDT"): (300, ("65140.4", "0.622237"), ("65140.5", "0.606831")),
}
"""Frames, and the best bid and ask after the last of them."""


@pytest.mark.parametrize(("category", "symbol"), list(LAST))
def test_the_recorded_books_merge_to_exact_values(
    recorded: list[Json], category: Category, symbol: str
) -> None:
    merge = BookMerge(InstrumentId(category, Symbol(symbol)), 200, Source.RECORDING)
    bids: dict[str, str] = {}
    asks: dict[str, str] = {}
    books: list[OrderBook] = []
    for row in recorded:
        message = row["msg"]
        topic = message.get("topic")
        if row["category"] != category.lower() or topic != f"orderbook.200.{symbol}":
            continue
        if message["type"] == "snapshot":
            bids, asks = {}, {}
        for side, changed in ((bids, message["data"]["b"]), (asks, message["data"]["a"])):
            side.update(changed)
            for price in [p for p, quantity in side.items() if quantity == "0"]:
                del side[price]
        read = frame_of(message)
        assert isinstance(read, Frame)
        book = merge.apply(read)

        assert isinstance(book, OrderBook)
        assert_sound(book)
        assert len(book.bids) == len(book.asks) == 200
        assert shown(book.bids) == sorted(bids.items(), key=lambda x: -Decimal(x[0]))
        assert shown(book.asks) == sorted(asks.items(), key=lambda x: Decimal(x[0]))
        assert book.sequence == message["data"]["seq"]
        assert round(book.as_of.timestamp() * 1000) == message["cts"]
        books.append(book)
    best = shown(books[-1].bids)[0], shown(books[-1].asks)[0]
    assert (len(books), *best) == LAST[category, symbol]
