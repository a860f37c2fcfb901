"""The catalogue as the database keeps it."""

import asyncio
from decimal import Decimal

import pytest

from adapters.clock import SystemClock
from adapters.postgres import Database, PostgresInstruments
from domain.kernel.ids import Category
from domain.market import InstrumentStatus
from tests.postgres.samples import instrument

HUGE = Decimal("12345678901234567890.123456789012345678")


@pytest.fixture
def instruments(database: Database, clock: SystemClock) -> PostgresInstruments:
    return PostgresInstruments(database, clock)


async def test_gives_back_what_was_put_in(instruments: PostgresInstruments) -> None:
    perpetual = instrument(max_quantity=HUGE, tick_size=Decimal("1e-18"))
    spot = instrument(
        category=Category.SPOT,
        settle_asset=None,
        min_notional=None,
        max_leverage=None,
        funding_interval_minutes=None,
        launched_at=None,
    )

    await instruments.replace(Category.LINEAR, [perpetual])
    await instruments.replace(Category.SPOT, [spot])

    assert await instruments.of_category(Category.LINEAR) == [perpetual]
    assert await instruments.of_category(Category.SPOT) == [spot]


async def test_decimals_come_back_plain(instruments: PostgresInstruments) -> None:
    await instruments.replace(
        Category.LINEAR, [instrument(tick_size=Decimal("0.10"), max_quantity=Decimal("1E+2"))]
    )

    (found,) = await instruments.of_category(Category.LINEAR)

    assert str(found.tick_size) == "0.1"
    assert str(found.max_quantity) == "100"


async def test_orders_symbols_as_python_does(instruments: PostgresInstruments) -> None:
    symbols = ["a1", "B_", "1000PEPEUSDT", "BTCUSDT", "BTC-25DEC26", "Z", "aB", "_"]

    await instruments.replace(Category.LINEAR, [instrument(s) for s in symbols])

    found = await instruments.of_category(Category.LINEAR)
    assert [i.symbol for i in found] == sorted(symbols)


async def test_counts_only_rows_that_changed(instruments: PostgresInstruments) -> None:
    first, second = instrument("AUSDT"), instrument("BUSDT")

    assert await instruments.replace(Category.LINEAR, [first, second]) == 2
    assert await instruments.replace(Category.LINEAR, [first, second]) == 0
    finer = instrument("AUSDT", tick_size=Decimal("0.01"))
    assert await instruments.replace(Category.LINEAR, [finer, second]) == 1


async def test_closes_what_the_venue_no_longer_lists(instruments: PostgresInstruments) -> None:
    await instruments.replace(Category.LINEAR, [instrument("AUSDT"), instrument("BUSDT")])
    await instruments.replace(Category.SPOT, [instrument("AUSDT", Category.SPOT)])

    changed = await instruments.replace(Category.LINEAR, [instrument("BUSDT")])

    assert changed == 1
    assert await instruments.of_category(Category.LINEAR) == [
        instrument("AUSDT", status=InstrumentStatus.CLOSED),
        instrument("BUSDT"),
    ]
    (untouched,) = await instruments.of_category(Category.SPOT)
    assert untouched.status is InstrumentStatus.TRADING
    assert await instruments.replace(Category.LINEAR, [instrument("BUSDT")]) == 0


async def test_reopens_what_comes_back(instruments: PostgresInstruments) -> None:
    await instruments.replace(Category.LINEAR, [instrument()])
    await instruments.replace(Category.LINEAR, [])

    assert await instruments.replace(Category.LINEAR, [instrument()]) == 1

    assert await instruments.of_category(Category.LINEAR) == [instrument()]


async def test_remembers_when_it_was_seen_first(
    instruments: PostgresInstruments, database: Database
) -> None:
    await instruments.replace(Category.LINEAR, [instrument()])
    await instruments.replace(Category.LINEAR, [instrument(tick_size=Decimal(1))])

    async with database.read() as session:
        connection = await session.connection()
        row = await connection.exec_driver_sql(
            "SELECT first_seen_at < updated_at FROM market.instrument"
        )
        assert row.scalar_one() is True


async def test_a_symbol_listed_twice_is_taken_once(instruments: PostgresInstruments) -> None:
    twice = [instrument(tick_size=Decimal(1)), instrument(tick_size=Decimal(2))]

    assert await instruments.replace(Category.LINEAR, twice) == 1

    (found,) = await instruments.of_category(Category.LINEAR)
    assert found.tick_size == 2


async def test_refuses_an_instrument_of_another_category(
    instruments: PostgresInstruments,
) -> None:
    with pytest.raises(ValueError, match="SPOT:BTCUSDT does not belong to LINEAR"):
        await instruments.replace(Category.LINEAR, [instrument(category=Category.SPOT)])


async def test_workers_at_the_same_time_take_turns(instruments: PostgresInstruments) -> None:
    old = [instrument(f"S{n}USDT") for n in range(200)]
    new = [instrument(f"S{n}USDT", tick_size=Decimal(2)) for n in range(100, 300)]

    changed = await asyncio.gather(
        *(instruments.replace(Category.LINEAR, found) for found in (old, new, old, new))
    )

    # Whoever came last won whole: the other's symbols are closed, none is half and half.
    found = await instruments.of_category(Category.LINEAR)
    listed = [i for i in found if i.status is InstrumentStatus.TRADING]
    assert listed in (sorted(old, key=lambda i: i.symbol), sorted(new, key=lambda i: i.symbol))
    assert len(found) == 300
    assert sum(changed) >= 300
