"""Balances by day: which days there are, and what fills those that booked nothing."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.errors import BadInput
from domain.wallets.daily import Closing, DailyBalance, Days, daily_balances, days_asked
from domain.wallets.model import AccountId

TODAY = date(2026, 11, 22)
ACCOUNT = AccountId(UUID(int=1))

days = st.integers(-20, 20).map(lambda offset: TODAY + timedelta(days=offset))
books = st.dictionaries(days, st.integers(0, 1000).map(Decimal))


def closings(kept: dict[date, Decimal], asked: Days) -> list[Closing]:
    """As the port gives them: the last one before, and all until the last day."""
    before = max((day for day in kept if day < asked.first), default=None)
    wanted = sorted(day for day in kept if asked.first <= day <= asked.last or day == before)
    return [Closing(ACCOUNT, day, kept[day]) for day in wanted]


def at_end(kept: dict[date, Decimal], day: date) -> Decimal:
    return next((kept[each] for each in sorted(kept, reverse=True) if each <= day), Decimal(0))


@given(books, books, days, st.integers(0, 40))
def test_every_day_has_what_was_booked_last(
    disposable: dict[date, Decimal], reserved: dict[date, Decimal], first: date, length: int
):
    asked = Days(first, first + timedelta(days=length))

    rows = daily_balances(asked, closings(disposable, asked), closings(reserved, asked))

    assert [row.day for row in rows] == [first + timedelta(days=n) for n in range(length + 1)]
    for row in rows:
        before = row.day - timedelta(days=1)
        assert row.available == at_end(disposable, row.day)
        assert row.held == at_end(reserved, row.day)
        assert row.total == row.available + row.held
        assert row.opening_total == at_end(disposable, before) + at_end(reserved, before)


def test_before_the_first_booking_there_was_nothing():
    asked = Days(TODAY - timedelta(days=1), TODAY)

    rows = daily_balances(asked, [Closing(ACCOUNT, TODAY, Decimal(5))], [])

    assert rows == [
        DailyBalance(asked.first, Decimal(0), Decimal(0), Decimal(0)),
        DailyBalance(TODAY, Decimal(0), Decimal(5), Decimal(0)),
    ]


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, (date(2026, 10, 24), TODAY)),
        (None, date(2026, 1, 31), (date(2026, 1, 2), date(2026, 1, 31))),
        (date(2026, 11, 22), None, (TODAY, TODAY)),
        (date(2025, 11, 22), TODAY, (date(2025, 11, 22), TODAY)),
        # Somewhere it is tomorrow already; nobody has it in the books yet.
        (date(2026, 11, 21), date(2026, 11, 23), (date(2026, 11, 21), TODAY)),
        (date(2026, 11, 20), date.max, (date(2026, 11, 20), TODAY)),
        (None, date.min, (date.min, date.min)),
    ],
)
def test_days_have_defaults_and_end_today(
    since: date | None, until: date | None, expected: tuple[date, date]
):
    assert days_asked(since, until, today=TODAY) == Days(*expected)


def test_the_default_is_thirty_days_and_the_most_are_366():
    default = days_asked(None, None, today=TODAY)
    year = days_asked(date(2025, 11, 22), None, today=TODAY)

    assert isinstance(default, Days)
    assert isinstance(year, Days)
    assert [len(daily_balances(each, [], [])) for each in (default, year)] == [30, 366]


@pytest.mark.parametrize(
    ("since", "until"),
    [(date(2025, 11, 21), None), (date.min, date.max), (TODAY, date(2026, 1, 1))],
)
def test_other_days_are_refused(since: date, until: date | None):
    refused = days_asked(since, until, today=TODAY)

    assert isinstance(refused, BadInput)
    assert refused.argument == "since"


def test_days_that_have_not_begun_are_none_at_all():
    tomorrow = TODAY + timedelta(days=1)

    asked = days_asked(tomorrow, tomorrow, today=TODAY)

    assert isinstance(asked, Days)
    assert daily_balances(asked, [Closing(ACCOUNT, TODAY, Decimal(5))], []) == []


def test_totals_are_told_without_zeros_at_the_end():
    half = [Closing(ACCOUNT, TODAY, Decimal("0.5"))]
    asked = Days(TODAY, TODAY + timedelta(days=1))

    rows = daily_balances(asked, half, half)
    (later,) = daily_balances(Days(asked.last, asked.last), half, half)

    assert [(str(row.opening_total), str(row.total)) for row in rows] == [("0", "1"), ("1", "1")]
    assert (str(later.opening_total), str(later.total)) == ("1", "1")
