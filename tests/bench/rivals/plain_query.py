"""The dashboard's query in Strawberry as its manual shows it; each improvement is a switch.

BENCH_CACHES    Strawberry's own caches of parsed and of validated documents
BENCH_ORJSON    orjson instead of json
BENCH_GC        the collector told to leave what was imported alone, and to look less often
BENCH_PURE      asyncio and h11 instead of uvloop and httptools

The types are the product's, cut down to what the query asks for, every value a ready text.
"""

import gc
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import orjson
import strawberry
from starlette.applications import Starlette
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, SchemaExtension, ValidationCache

from adapters.supervisor import lifeline
from tests.bench.rivals.serving import serve


@strawberry.enum
class Category(Enum):
    LINEAR = "LINEAR"


@strawberry.input
class InstrumentRef:
    category: Category
    symbol: str


@strawberry.type
class Ticker:
    category: Category
    symbol: str
    last_price: str
    bid_price: str
    ask_price: str
    high_price_24h: str = strawberry.field(name="highPrice24h")
    low_price_24h: str = strawberry.field(name="lowPrice24h")
    change_24h: str = strawberry.field(name="change24h")
    volume_24h: str = strawberry.field(name="volume24h")
    as_of: str
    stale: bool


@strawberry.type
class Instrument:
    category: Category
    symbol: str
    base_asset: str
    quote_asset: str
    status: str
    tick_size: str
    quantity_step: str
    min_quantity: str
    max_quantity: str


@strawberry.type
class InstrumentEdge:
    node: Instrument


@strawberry.type
class PageInfo:
    has_next_page: bool


@strawberry.type
class InstrumentConnection:
    edges: list[InstrumentEdge]
    page_info: PageInfo


def _made(kind: type[Any], row: dict[str, Any]) -> Any:
    """A row of the product's answer as an object of ours."""
    fields = kind.__strawberry_definition__.fields
    names = {field.python_name: field.graphql_name or _camel(field.python_name) for field in fields}
    values = {python: row[graphql] for python, graphql in names.items()}
    return kind(**values | {"category": Category(row["category"])})


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_data = json.loads(Path(os.environ["BENCH_DATA"]).read_text())
TICKERS = {symbol: _made(Ticker, row) for symbol, row in _data["tickers"].items()}
INSTRUMENTS = [_made(Instrument, row) for row in _data["instruments"]]


@strawberry.type
class Query:
    @strawberry.field
    async def tickers(self, instruments: list[InstrumentRef]) -> list[Ticker | None]:
        return [TICKERS.get(asked.symbol) for asked in instruments]

    @strawberry.field
    async def instruments(self, category: Category, first: int) -> InstrumentConnection:
        del category
        edges = [InstrumentEdge(node=row) for row in INSTRUMENTS[:first]]
        return InstrumentConnection(edges=edges, page_info=PageInfo(has_next_page=True))


class WithOrjson(GraphQL[None, None]):
    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def decode_json(self, data: str | bytes) -> object:
        return orjson.loads(data)


@asynccontextmanager
async def lifespan(_app: object) -> AsyncIterator[None]:
    if _on("GC"):
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 50, 1000)
    lifeline.announce_ready()
    yield


def _on(switch: str) -> bool:
    return os.environ.get(f"BENCH_{switch}") == "1"


def main() -> None:
    caches: list[type[SchemaExtension]] = [ParserCache, ValidationCache] if _on("CACHES") else []
    schema = strawberry.Schema(Query, extensions=caches)
    graphql = (WithOrjson if _on("ORJSON") else GraphQL[None, None])(schema)
    app = Starlette(routes=[Route("/graphql", graphql, methods=["POST"])], lifespan=lifespan)
    serve(app, **({"loop": "asyncio", "http": "h11"} if _on("PURE") else {}))


if __name__ == "__main__":
    main()
