"""Public stream frames, keys in each category's recorded order (Bybit v5 tickers, orderbook)."""

from typing import Literal, NamedTuple

from adapters.sandbox.exchange.instruments import Category
from adapters.sandbox.exchange.venue import Topic
from adapters.sandbox.exchange.wire import encoded

# Depth 1 is repeated with the same update id after this much silence (Bybit v5 public orderbook).
BOOK_REPEAT_MS = 3_000


class Best(NamedTuple):
    """Best bid and ask as (price, size), with the numbers that order them."""

    bid: tuple[str, str]
    ask: tuple[str, str]
    update_id: int
    sequence: int


def ticker_frame(
    topic: Topic,
    data: dict[str, str],
    *,
    kind: Literal["snapshot", "delta"],
    sequence: int,
    ts: int,
) -> str:
    if topic.category is Category.LINEAR:
        return encoded({"topic": topic.name, "type": kind, "data": data, "cs": sequence, "ts": ts})
    return encoded({"topic": topic.name, "ts": ts, "type": kind, "cs": sequence, "data": data})


def best_frame(topic: Topic, best: Best, *, ts: int, matched_ts: int) -> str:
    """Depth 1 knows snapshots only; `matched_ts` is the matching engine's own time (cts)."""
    head = {"type": "snapshot", "ts": ts}
    if topic.category is Category.SPOT:
        head = {"ts": ts, "type": "snapshot"}
    data = {
        "s": topic.name.rpartition(".")[2],
        "b": [best.bid],
        "a": [best.ask],
        "u": best.update_id,
        "seq": best.sequence,
    }
    return encoded({"topic": topic.name, **head, "data": data, "cts": matched_ts})
