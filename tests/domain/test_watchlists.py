"""Watchlists."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.market.watchlists import (
    INSTRUMENTS_MAX,
    LISTS_MAX,
    Watchlist,
    WatchlistFull,
    WatchlistNameTaken,
    new_watchlist,
    renamed,
)
from tests.domain.doubles import linear

ME = UserId(UUID(int=1))
EMPTY = Watchlist(UUID(int=9), ME, "Majors")


def filled(count: int) -> Watchlist:
    watchlist = EMPTY
    for n in range(count):
        added = watchlist.added(linear(f"A{n}"))
        assert isinstance(added, Watchlist)
        watchlist = added
    return watchlist


def test_an_instrument_is_in_a_list_once():
    once = filled(3)

    assert once.added(linear("A1")) == once
    assert filled(3).removed(linear("A1")).instruments == (linear("A0"), linear("A2"))
    assert once.removed(linear("NOPE")) == once


def test_a_list_is_bounded():
    full = filled(INSTRUMENTS_MAX)

    assert full.added(linear("ONE_MORE")) == WatchlistFull(100, "instruments in a list")
    assert full.added(linear("A0")) == full


@given(st.integers(min_value=0, max_value=5), st.integers(min_value=0, max_value=5))
def test_moving_keeps_everything_else_in_order(which: int, position: int):
    before = filled(6)
    one = before.instruments[which]

    after = before.moved(one, position)

    assert isinstance(after, Watchlist)
    assert after.instruments[position] == one
    assert [i for i in after.instruments if i != one] == [i for i in before.instruments if i != one]


def test_moving_to_nowhere_is_refused():
    assert filled(2).moved(linear("A0"), 2) == BadInput("position", "give 0 to 1.")
    assert filled(2).moved(linear("X"), 0) == BadInput("instrument", "is not in this list.")


@pytest.mark.parametrize("name", ["", "   ", "x" * 41, "a\x00b", "a\u202eb"])
def test_a_name_is_readable(name: str):
    assert isinstance(new_watchlist(UUID(int=2), ME, name, existing=[]), BadInput)


def test_names_are_trimmed_and_unique_whatever_their_case():
    made = new_watchlist(UUID(int=2), ME, "  My   coins ", existing=[EMPTY])
    assert isinstance(made, Watchlist)
    assert made.name == "My coins"

    taken = new_watchlist(UUID(int=3), ME, "MAJORS", existing=[EMPTY])
    assert taken == WatchlistNameTaken("MAJORS")
    assert renamed(EMPTY, "majors", existing=[EMPTY, made]) == Watchlist(EMPTY.id, ME, "majors")
    assert renamed(made, "Majors", existing=[EMPTY, made]) == WatchlistNameTaken("Majors")


def test_a_person_has_so_many_lists():
    existing = [Watchlist(UUID(int=n), ME, f"list {n}") for n in range(LISTS_MAX)]

    assert new_watchlist(UUID(int=99), ME, "more", existing=existing) == WatchlistFull(20, "lists")
