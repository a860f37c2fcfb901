"""Public stream frames, keys in each category's recorded order.

Bybit v5 tickers, orderbook, publicTrade, kline.
"""

from typing import Any, Literal, NamedTuple

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Topic
from adapters.sandbox.exchange.wire import encoded

# Depth 1 is repeated with the same update id after this much silence (Bybit v5 public orderbook).
BOOK_REPEAT_MS = 3_000

Level = tuple[str, str]  # price, size
Kind = Literal["snapshot", "delta"]


class Levels(NamedTuple):
    """A book, or what changed in it, with the numbers that order it."""

    bids: list[Level]
    asks: list[Level]
    update_id: int
    sequence: int


def ticker_frame(topic: Topic, data: dict[str, str], *, kind: Kind, sequence: int, ts: int) -> str:
    if topic.category is Category.LINEAR:
        return encoded({"topic": topic.name, "type": kind, "data": data, "cs": sequence, "ts": ts})
    return encoded({"topic": topic.name, "ts": ts, "type": kind, "cs": sequence, "data": data})


def book_frame(topic: Topic, levels: Levels, *, kind: Kind, ts: int, matched_ts: int) -> str:
    """`matched_ts` is the matching engine's own time (cts)."""
    data = {
        "s": topic.symbol,
        "b": levels.bids,
        "a": levels.asks,
        "u": levels.update_id,
        "seq": levels.sequence,
    }
    return encoded({"topic": topic.name, **_head(topic, kind, ts), "data": data, "cts": matched_ts})


def trade_frame(topic: Topic, trades: list[dict[str, Any]], *, ts: int) -> str:
    return encoded({"topic": topic.name, **_head(topic, "snapshot", ts), "data": trades})


def kline_frames(topic: Topic, candles: list[dict[str, Any]], *, ts: int) -> list[str]:
    """Spot tells a closed candle and its successor in two frames, linear in one (recorded)."""
    if topic.category is Category.LINEAR:
        frame = {"topic": topic.name, "data": candles, "ts": ts, "type": "snapshot"}
        return [encoded(frame)]
    return [
        encoded({"type": "snapshot", "topic": topic.name, "data": [candle], "ts": ts})
        for candle in candles
    ]


def _head(topic: Topic, kind: Kind, ts: int) -> dict[str, Any]:
    if topic.category is Category.SPOT:
        return {"ts": ts, "type": kind}
    return {"type": kind, "ts": ts}
