"""What every server under test is asked, and what it answers: the same question, the same size.

Symbols are ``S00USDT`` to ``S99USDT``, so that the load generator reads an index off them.
"""

from dataclasses import dataclass

import orjson

from adapters.clock import SystemClock

SYMBOLS_MAX = 100
DOCUMENT = """subscription Price($category: Category!, $symbol: String!) {
  ticker(category: $category, symbol: $symbol) {
    symbol lastPrice bidPrice askPrice volume24h asOf stale
  }
}"""
PLACEHOLDER = "@SYMBOL@"
BID, ASK, VOLUME = "64250.00", "64250.20", "18234.112"

_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Price:
    """One value, its instant already a text: nobody under test is measured for formatting."""

    symbol: str
    last_price: str
    bid_price: str
    ask_price: str
    volume_24h: str
    as_of: str
    stale: bool


def symbol_of(index: int) -> str:
    return f"S{index:02d}USDT"


def last_price(count: int) -> str:
    """Moves with every value, so that nobody may leave one out as unchanged."""
    return f"{64_000 + count % 1000}.10"


def price(index: int, count: int) -> Price:
    at = _CLOCK.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Price(symbol_of(index), last_price(count), BID, ASK, VOLUME, at, stale=False)


def subscribe_payload() -> str:
    """The payload of a ``subscribe`` message; the load generator puts a symbol in its place."""
    variables = {"category": "LINEAR", "symbol": PLACEHOLDER}
    return orjson.dumps({"query": DOCUMENT, "variables": variables}).decode()
