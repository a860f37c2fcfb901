"""Reading the market."""

import asyncio
from collections.abc import Sequence

import pytest

from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.failures import Unavailable
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.kernel.page import Page, PageInfo
from domain.market import (
    Catalogue,
    Instrument,
    MarketData,
    TooManyInstruments,
    UnknownInstrument,
    ticker_topic,
)
from tests.domain.doubles import (
    KnownMarket,
    ListedInstruments,
    ManualClock,
    Venue,
    instrument,
    linear,
    ticker,
)

SYMBOLS = [f"A{n:03}USDT" for n in range(45)]


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.rows = ListedInstruments(
            *map(instrument, SYMBOLS), instrument("BTCUSDT"), instrument("ETHUSDT", Category.SPOT)
        )
        self.live = KnownMarket(ticker("BTCUSDT", "65000"))
        self.venue = Venue(ticker("A001USDT", "1"))
        self.market = MarketData(
            catalogue=Catalogue(self.rows, self.clock),
            live=self.live,
            venue=self.venue,
            cursors=CursorSigner(b"k" * 32),
        )


@pytest.fixture
def world() -> World:
    return World()


async def pages(world: World, size: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = await world.market.instruments(Category.LINEAR, first=size, after=after)
        assert isinstance(page, Page)
        assert len(page.edges) <= size
        found += [edge.node.symbol for edge in page.edges]
        if not page.page_info.has_next_page:
            return found
        after = page.page_info.end_cursor


@pytest.mark.parametrize("size", [1, 7, 45, 46, 100])
async def test_pages_show_every_instrument_once_in_order(world: World, size: int):
    assert await pages(world, size) == [*SYMBOLS, "BTCUSDT"]


@pytest.mark.parametrize("first", [0, -1, 101, 2**31 - 1])
async def test_a_page_has_1_to_100_items(world: World, first: int):
    found = await world.market.instruments(Category.LINEAR, first=first, after=None)

    assert found == BadInput("first", f"ask for 1 to 100 items, not {first}.")


async def test_a_page_says_where_it_begins_and_ends(world: World):
    first = await world.market.instruments(Category.LINEAR, first=45, after=None)
    assert isinstance(first, Page)
    last = await world.market.instruments(
        Category.LINEAR, first=45, after=first.page_info.end_cursor
    )
    assert isinstance(last, Page)

    cursors = [edge.cursor for edge in [*first.edges, *last.edges]]
    assert first.page_info == PageInfo(True, False, cursors[0], cursors[44])
    assert last.page_info == PageInfo(False, True, cursors[45], cursors[45])


async def test_a_cursor_belongs_to_its_list(world: World):
    page = await world.market.instruments(Category.LINEAR, first=1, after=None)
    assert isinstance(page, Page)

    found = await world.market.instruments(Category.SPOT, first=1, after=page.page_info.end_cursor)

    assert isinstance(found, BadInput)
    assert found.argument == "after"


async def test_a_misspelt_symbol_is_answered_with_near_ones(world: World):
    found = await world.market.instrument(linear("BTC-USD"))

    assert found == UnknownInstrument(linear("BTC-USD"), ("BTCUSDT",))
    assert found.message == "There is no 'BTC-USD' in category LINEAR. Did you mean BTCUSDT?"


async def test_a_symbol_of_another_category_is_unknown(world: World):
    spot = InstrumentId(Category.SPOT, Symbol("BTCUSDT"))

    assert isinstance(await world.market.instrument(spot), UnknownInstrument)


async def test_a_huge_symbol_is_not_echoed_whole(world: World):
    found = await world.market.instrument(linear("X" * 100_000))

    assert isinstance(found, UnknownInstrument)
    assert len(found.message) < 120


async def test_tickers_come_in_the_order_asked_and_the_venue_is_asked_only_for_the_rest(
    world: World,
):
    ids = [linear("A002USDT"), linear("BTCUSDT"), linear("A001USDT")]

    found = await world.market.tickers(ids)

    assert found == [None, world.live.known[ticker_topic(ids[1])], world.venue.known[ids[2]]]
    assert world.venue.asked == [frozenset({ids[0], ids[2]})]


async def test_too_many_or_unknown_tickers_ask_nobody(world: World):
    many = await world.market.tickers([linear("BTCUSDT")] * 101)
    unknown = await world.market.tickers([linear("BTCUSDT"), linear("NOPE")])

    assert many == TooManyInstruments(101, 100)
    assert isinstance(unknown, UnknownInstrument)
    assert world.venue.asked == []


async def test_watching_an_unknown_symbol_is_refused(world: World):
    assert isinstance(await world.market.watch(linear("NOPE")), UnknownInstrument)


async def test_the_catalogue_is_read_once_a_minute(world: World):
    for _ in range(3):
        await world.market.instrument(linear("BTCUSDT"))
    assert world.rows.calls == 1

    world.clock.seconds = 60.0
    await world.market.instrument(linear("BTCUSDT"))
    assert world.rows.calls == 2


async def test_a_known_catalogue_outlives_the_database(world: World):
    await world.market.instrument(linear("BTCUSDT"))
    world.clock.seconds = 3600.0
    world.rows.failure = Unavailable("database")

    assert await world.market.instrument(linear("BTCUSDT")) == instrument("BTCUSDT")


async def test_an_empty_catalogue_is_a_system_that_starts(world: World):
    world.rows.rows.clear()

    with pytest.raises(Unavailable):
        await world.market.instrument(linear("BTCUSDT"))

    world.rows.rows.append(instrument("BTCUSDT"))
    world.clock.seconds = 0.25
    assert await world.market.instrument(linear("BTCUSDT")) == instrument("BTCUSDT")


class HeldRows(ListedInstruments):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(instrument("BTCUSDT"))
        self.answers = asyncio.Event()

    async def of_category(self, category: Category) -> Sequence[Instrument]:
        self.calls += 1
        await self.answers.wait()
        self.calls -= 1
        return await super().of_category(category)


async def test_a_burst_on_a_cold_process_is_one_question() -> None:
    rows = HeldRows()
    catalogue = Catalogue(rows, ManualClock())
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(catalogue.of_category(Category.LINEAR)) for _ in range(50)]
        await asyncio.sleep(0)
        rows.answers.set()

    assert rows.calls == 1
    assert {len(task.result()) for task in asked} == {1}


async def test_a_failure_is_everybodys_who_waited_for_it() -> None:
    rows = HeldRows()
    rows.failure = Unavailable("database")
    clock = ManualClock()
    catalogue = Catalogue(rows, clock)
    asked = [asyncio.ensure_future(catalogue.of_category(Category.LINEAR)) for _ in range(50)]
    await asyncio.sleep(0)
    clock.seconds += 5
    rows.answers.set()
    found = await asyncio.gather(*asked, return_exceptions=True)

    assert {type(error) for error in found} == {Unavailable}
    assert rows.calls == 1
    rows.failure = None
    assert len(await catalogue.of_category(Category.LINEAR)) == 1
