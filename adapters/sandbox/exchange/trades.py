"""Trades: how large an order is, into how many fills it falls, and how Bybit writes each of them.

Bybit v5 publicTrade and market/recent-trade. The rhythm is that of two tapes: in the recorded
session (44 s) a BTC linear order came every 2.6 s, a SOL linear order every 0.7 s and a BTC spot
order every 3.9 s; on a tape of 5436 real BTC orders two thirds were one fill, the mean was 3.9
fills, and sizes were log-normal. All fills of one order share time, sequence and side, as recorded.
"""

from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID, uuid5

from adapters.sandbox.exchange.instruments import Category, Instrument
from adapters.sandbox.exchange.wire import fixed, plain

# The tape's log deviation is 2.0; 1.5 keeps the mean although the touch caps the largest orders.
SIZE_LOG_DEVIATION = 1.5
ONE_FILL = 0.64
MORE_FILLS_MEAN = 5.0
FILLS_MAX = 40
# Recorded linear trade ids are UUIDs of version 5, spot ids are 19 digits that grow.
_IDS = UUID("5d3a4c10-6a43-5b0c-9a57-0c3a5a0b61d2")
_SPOT_ID_PREFIX = "229"
KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Trade:
    number: int  # grows over restarts: born from the clock
    time_ms: int
    price: int  # ticks
    lots: int
    is_buy: bool  # the taker's side
    sequence: int
    direction: str


def order_lots(random: Random, mean: float, most: int) -> int:
    """Draw an order's size: log-normal with this mean, at least one lot, at most `most`."""
    factor = random.lognormvariate(-(SIZE_LOG_DEVIATION**2) / 2, SIZE_LOG_DEVIATION)
    return max(1, min(round(mean * factor), most))


def fills(random: Random, lots: int) -> list[int]:
    """Cut an order into the resting orders it met; the parts sum to the whole."""
    if lots < 2 or random.random() < ONE_FILL:  # noqa: PLR2004  # one lot cannot be cut
        return [lots]
    parts = min(lots, FILLS_MAX, 2 + int(random.expovariate(1 / (MORE_FILLS_MEAN - 1))))
    cuts = sorted({1 + int(random.random() * (lots - 1)) for _ in range(parts - 1)})
    return [end - start for start, end in zip([0, *cuts], [*cuts, lots], strict=True)]


def stream_trade(instrument: Instrument, trade: Trade) -> dict[str, Any]:
    """One element of publicTrade's data, keys in the category's recorded order."""
    price, size = _numbers(instrument, trade)
    side = "Buy" if trade.is_buy else "Sell"
    if instrument.category is Category.SPOT:
        return {
            "i": trade_id(instrument, trade.number),
            "T": trade.time_ms,
            "p": price,
            "v": size,
            "S": side,
            "seq": trade.sequence,
            "s": instrument.symbol,
            "BT": False,
            "RPI": False,
        }
    return {
        "T": trade.time_ms,
        "s": instrument.symbol,
        "S": side,
        "v": size,
        "p": price,
        "L": trade.direction,
        "i": trade_id(instrument, trade.number),
        "BT": False,
        "RPI": False,
        "seq": trade.sequence,
    }


def rest_trade(instrument: Instrument, trade: Trade) -> dict[str, Any]:
    """One row of market/recent-trade, in the documented order of keys."""
    price, size = _numbers(instrument, trade)
    return {
        "execId": trade_id(instrument, trade.number),
        "symbol": instrument.symbol,
        "price": price,
        "size": size,
        "side": "Buy" if trade.is_buy else "Sell",
        "time": str(trade.time_ms),
        "isBlockTrade": False,
        "isRPITrade": False,
        "seq": str(trade.sequence),
    }


def trade_id(instrument: Instrument, number: int) -> str:
    if instrument.category is Category.SPOT:
        return f"{_SPOT_ID_PREFIX}{number:016d}"
    return str(uuid5(_IDS, f"{instrument.symbol}:{number}"))


def _numbers(instrument: Instrument, trade: Trade) -> tuple[str, str]:
    write = fixed if instrument.category is Category.LINEAR else plain
    return (
        write(trade.price * instrument.tick_units, instrument.price_decimals),
        write(trade.lots * instrument.lot_units, instrument.lot_decimals),
    )
