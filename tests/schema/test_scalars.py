"""Money and time cross the edge without losing a digit."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from schema._scalars import (
    parse_date_time,
    parse_decimal,
    parse_uuid,
    print_date_time,
    print_decimal,
)

DECIMALS = st.decimals(
    min_value=-(10**20) + 1, max_value=10**20 - 1, places=18, allow_nan=False, allow_infinity=False
)


@given(DECIMALS)
def test_decimals_survive_the_round_trip(number: Decimal):
    text = print_decimal(number)

    assert "E" not in text
    if not text.startswith("-0") or number != 0:
        assert parse_decimal(text) == number


@given(st.text(alphabet="0123456789.-+eE_ \u0663NaIinfty", max_size=60))
def test_what_is_read_is_plain_notation(text: str):
    try:
        read = parse_decimal(text)
    except GraphQLError:
        return
    assert print_decimal(read) == text


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "Infinity", "-Infinity", "sNaN", "1e3", "1E-8", "1_000", " 1", "1 ", "+1", "01",
        ".5", "5.", "", "0x1", "\uff11", "1" * 21, "0." + "1" * 19, 1, 1.5, True, None, [], {},
    ],
)  # fmt: skip
def test_everything_else_is_refused(value: object):
    with pytest.raises(GraphQLError, match="is not a Decimal: send a string"):
        parse_decimal(value)


def test_a_huge_value_is_not_echoed_whole():
    with pytest.raises(GraphQLError) as refused:
        parse_decimal("9" * 10_000)

    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), 1.5, "1", None])
def test_only_finite_decimals_are_printed(value: object):
    with pytest.raises(TypeError):
        print_decimal(value)


def test_no_exponent_is_ever_printed():
    assert print_decimal(Decimal(1000).normalize()) == "1000"
    assert print_decimal(Decimal("1E-8")) == "0.00000001"


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30)))  # noqa: DTZ001
def test_instants_survive_to_the_millisecond(moment: datetime):
    aware = moment.replace(tzinfo=UTC, microsecond=moment.microsecond // 1000 * 1000)

    assert parse_date_time(print_date_time(aware)) == aware


def test_offsets_are_turned_into_utc():
    read = parse_date_time("2026-01-31T12:00:00.5+02:00")

    assert read == datetime(2026, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC)
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T12:00:00", "2026-01-31", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
        "2026-01-31 12:00:00Z", "\u0662\u0660\u0662\u0666-01-31T12:00:00Z",
        "", 0, None, "0001-01-01T00:00:00+23:59",
    ],
)  # fmt: skip
def test_what_is_no_instant_is_refused(value: object):
    with pytest.raises(GraphQLError, match="is not a DateTime: send RFC 3339"):
        parse_date_time(value)


@given(st.uuids())
def test_a_uuid_is_read_as_everybody_writes_it(value: UUID):
    assert parse_uuid(str(value)) == parse_uuid(str(value).upper()) == value


@pytest.mark.parametrize(
    "value",
    [
        "", "019ab2c46f007c3a9d5e3a1f0c7be201", "{019ab2c4-6f00-7c3a-9d5e-3a1f0c7be201}",
        "urn:uuid:019ab2c4-6f00-7c3a-9d5e-3a1f0c7be201", "019ab2c4-6f00-7c3a-9d5e-3a1f0c7be20g",
        " 019ab2c4-6f00-7c3a-9d5e-3a1f0c7be201", "019ab2c4-6f00-7c3a-9d5e-3a1f0c7be201\n",
        "\u0660" * 8 + "-6f00-7c3a-9d5e-3a1f0c7be201", 1, None, [],
    ],
)  # fmt: skip
def test_what_is_no_uuid_is_refused(value: object):
    with pytest.raises(GraphQLError, match="is not a UUID: send one such as"):
        parse_uuid(value)
