"""Trades as the ``data`` of frames, each told what it follows on.

``after`` is the id of the trade that the same leading feed published before; null when it knows of
none. A reader that last saw another one has missed something.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.redis.fields import (
    check,
    check_instrument,
    flag,
    instant,
    milliseconds,
    names_of,
    number,
    plain,
    reading,
    string,
    whole,
)
from domain.kernel.ids import InstrumentId, Side
from domain.market.model import Source
from domain.market.tape import Trade, Trades


@dataclass(frozen=True, slots=True)
class Tape:
    """Trades and what they follow on."""

    after: str | None
    trades: Trades


def encode_trades(trades: Sequence[Trade]) -> list[bytes]:
    """One text each: ``["id","price","quantity","BUY",at]``."""
    return [
        orjson.dumps([t.id, plain(t.price), plain(t.quantity), t.side.value, milliseconds(t.at)])
        for t in trades
    ]


def encode_joint(trade_id: str) -> bytes:
    """What the text of that trade begins with, behind its bracket."""
    return orjson.dumps(trade_id)


def encode_head(trades: Trades, *, after: str | None, dropped: int) -> bytes:
    """The ``data`` up to where the trades go: they and ``]}`` are to be appended."""
    data = names_of(trades.instrument) | {
        "as_of": milliseconds(trades.as_of),
        "stale": trades.stale,
        "source": trades.source.value,
        "dropped": dropped,
        "after": after,
    }
    return orjson.dumps(data)[:-1] + b',"trades":['


def encode_tape(trades: Trades, *, after: str | None) -> bytes:
    """The ``data`` of a frame of trades."""
    head = encode_head(trades, after=after, dropped=trades.dropped)
    return head + b",".join(encode_trades(trades.trades)) + b"]}"


def decode_tape(data: dict[str, Any], instrument: InstrumentId) -> Tape:
    """Raises CorruptFrame, also when it is another instrument's."""
    with reading():
        check_instrument(data, instrument)
        check(type(data["trades"]) is list)
        dropped, after = whole(data["dropped"]), data["after"]
        check(dropped >= 0)
        trades = Trades(
            instrument=instrument,
            trades=tuple(map(_trade, data["trades"])),
            dropped=dropped,
            as_of=instant(data["as_of"]),
            stale=flag(data["stale"]),
            source=Source(data["source"]),
        )
        return Tape(None if after is None else string(after), trades)


def _trade(fields: Sequence[object]) -> Trade:
    # A newer feed may append fields.
    check(type(fields) is list)
    name, price, quantity, side, at = fields[:5]
    return Trade(string(name), number(price), number(quantity), Side(string(side)), instant(at))
