"""Bybit's answers and frames in the domain's words, each function total: it never raises.

Sources: Bybit v5 "Get Instruments Info", "Get Tickers", "Ticker" and "Orderbook" topics, and a
recorded mainnet session of 2026-08-09. Unknown fields are ignored; what cannot be used comes back
as ``Unusable`` with a reason to count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from adapters.bybit.wire import (
    Fields,
    UnusableField,
    fields,
    instant,
    needed_instant,
    needed_number,
    needed_word,
    number,
    number_of,
    word,
)
from domain.kernel.ids import AssetCode, Category, InstrumentId, Symbol
from domain.market import Instrument, InstrumentStatus, Source, Ticker

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why something from the wire was dropped."""

    reason: str
    incomplete: bool = False
    """Well formed, yet something needed is not there (a contract before its first trade)."""


class FrameKind(StrEnum):
    """How a frame's data relates to what came before."""

    SNAPSHOT = "snapshot"
    DELTA = "delta"


@dataclass(frozen=True, slots=True)
class Frame:
    """One push of a topic."""

    topic: str
    kind: FrameKind
    data: object
    """An object or a list, as the topic has it."""
    sent_at: datetime
    made_at: datetime | None = None
    """``cts``: when the matching engine made it; order books only."""


@dataclass(frozen=True, slots=True)
class BestPrices:
    """The top of an order book; a side is None while nobody offers there."""

    bid_price: Decimal | None
    bid_size: Decimal | None
    ask_price: Decimal | None
    ask_size: Decimal | None


def frame_of(message: object) -> Frame | Unusable:
    """A pushed message of any topic; its data is looked at by who knows the topic."""
    return usable(lambda: _frame(message))


def ticker_of(
    instrument: InstrumentId,
    data: Fields,
    *,
    as_of: datetime,
    source: Source,
    best: BestPrices | None = None,
) -> Ticker | Unusable:
    """A ticker from a merged stream state or a REST row; ``best`` replaces its own bid and ask."""
    return usable(lambda: _ticker(instrument, data, as_of, source, best))


def best_prices_of(data: object) -> BestPrices | Unusable:
    """The top of an ``orderbook`` snapshot, best level first on each side."""
    return usable(lambda: _best_prices(fields(data, "data")))


def instrument_of(category: Category, row: object) -> Instrument | Unusable:
    """One row of instruments-info."""
    return usable(lambda: _instrument(category, fields(row, "instrument")))


def rows_of(answer: object) -> Sequence[object] | Unusable:
    """``result.list`` of a REST answer."""
    return usable(lambda: _rows(answer))


def cursor_of(answer: object) -> str | None:
    """``result.nextPageCursor``; None on the last page, and where there are no pages (spot)."""
    result = answer.get("result") if isinstance(answer, dict) else None
    cursor = result.get("nextPageCursor") if isinstance(result, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def answered_at(answer: object) -> datetime | Unusable:
    """The venue's time of a REST answer (``time``, milliseconds)."""
    return usable(lambda: needed_instant(fields(answer, "answer"), "time"))


def usable(read: Callable[[], T]) -> T | Unusable:
    """What ``read`` returns, or why it could not."""
    try:
        return read()
    except UnusableField as error:
        return Unusable(error.reason, incomplete=error.incomplete)


def _frame(message: object) -> Frame:
    data = fields(message, "frame")
    topic, kind = data.get("topic"), data.get("type")
    if not isinstance(topic, str):
        raise UnusableField("missing:topic")
    if kind not in ("snapshot", "delta"):
        raise UnusableField("unknown_type")
    content = data.get("data")
    if not isinstance(content, dict | list):
        raise UnusableField("not_an_object:data")
    return Frame(topic, FrameKind(kind), content, needed_instant(data, "ts"), instant(data, "cts"))


def _ticker(
    instrument: InstrumentId,
    data: Fields,
    as_of: datetime,
    source: Source,
    best: BestPrices | None,
) -> Ticker:
    best = best or BestPrices(
        bid_price=number(data, "bid1Price"),
        bid_size=number(data, "bid1Size"),
        ask_price=number(data, "ask1Price"),
        ask_size=number(data, "ask1Size"),
    )
    return Ticker(
        id=instrument,
        last_price=needed_number(data, "lastPrice"),
        bid_price=best.bid_price,
        bid_size=best.bid_size,
        ask_price=best.ask_price,
        ask_size=best.ask_size,
        high_price_24h=needed_number(data, "highPrice24h"),
        low_price_24h=needed_number(data, "lowPrice24h"),
        previous_price_24h=needed_number(data, "prevPrice24h"),
        change_24h=needed_number(data, "price24hPcnt"),
        volume_24h=needed_number(data, "volume24h"),
        turnover_24h=needed_number(data, "turnover24h"),
        mark_price=number(data, "markPrice"),
        index_price=number(data, "indexPrice"),
        open_interest=number(data, "openInterest"),
        funding_rate=number(data, "fundingRate"),
        next_funding_at=instant(data, "nextFundingTime"),
        as_of=as_of,
        stale=False,
        source=source,
    )


def _best_prices(data: Fields) -> BestPrices:
    return BestPrices(*_level(data, "b"), *_level(data, "a"))


def _level(data: Fields, side: str) -> tuple[Decimal | None, Decimal | None]:
    levels = data.get(side)
    if not isinstance(levels, list):
        raise UnusableField(f"not_a_list:{side}")
    if not levels:
        return None, None
    top = levels[0]
    if not isinstance(top, list) or len(top) != 2:  # noqa: PLR2004  # a pair
        raise UnusableField(f"not_a_level:{side}")
    return number_of(top[0], f"{side}.price"), number_of(top[1], f"{side}.size")


_STATUS = {
    "PreLaunch": InstrumentStatus.PRE_LAUNCH,
    "Trading": InstrumentStatus.TRADING,
    "Delivering": InstrumentStatus.DELIVERING,
    "Closed": InstrumentStatus.CLOSED,
}


def _instrument(category: Category, row: Fields) -> Instrument:
    linear = category is Category.LINEAR
    lot = fields(row.get("lotSizeFilter"), "lotSizeFilter")
    price = fields(row.get("priceFilter"), "priceFilter")
    leverage = fields(row.get("leverageFilter"), "leverageFilter") if linear else {}
    settle = word(row, "settleCoin")
    return Instrument(
        id=InstrumentId(category, Symbol(needed_word(row, "symbol"))),
        base_asset=AssetCode(needed_word(row, "baseCoin")),
        quote_asset=AssetCode(needed_word(row, "quoteCoin")),
        settle_asset=AssetCode(settle) if settle else None,
        status=_STATUS.get(needed_word(row, "status"), InstrumentStatus.SUSPENDED),
        tick_size=needed_number(price, "tickSize"),
        quantity_step=needed_number(lot, "qtyStep" if linear else "basePrecision"),
        min_quantity=needed_number(lot, "minOrderQty"),
        max_quantity=needed_number(lot, "maxOrderQty"),
        min_notional=number(lot, "minNotionalValue" if linear else "minOrderAmt"),
        max_leverage=number(leverage, "maxLeverage"),
        funding_interval_minutes=_minutes(row) if linear else None,
        launched_at=instant(row, "launchTime"),
    )


def _minutes(row: Fields) -> int | None:
    # A dated future says 0: it has no funding.
    value = row.get("fundingInterval")
    if value is None or value in ("", 0):
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UnusableField("not_minutes:fundingInterval")
    return value


def _rows(answer: object) -> list[object]:
    result = fields(fields(answer, "answer").get("result"), "result")
    rows = result.get("list")
    if not isinstance(rows, list):
        raise UnusableField("not_a_list:list")
    return rows
