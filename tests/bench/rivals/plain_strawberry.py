"""Strawberry as its manual shows it: one execution per subscriber and value."""

from collections.abc import AsyncGenerator
from enum import Enum

import strawberry
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL

from tests.bench.rivals.serving import Source, serve

source = Source()


@strawberry.enum
class Category(Enum):
    LINEAR = "linear"


@strawberry.type
class Ticker:
    symbol: str
    last_price: str
    bid_price: str
    ask_price: str
    volume_24h: str = strawberry.field(name="volume24h")
    as_of: str
    stale: bool


@strawberry.type
class Query:
    ready: bool = True


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def ticker(self, category: Category, symbol: str) -> AsyncGenerator[Ticker, None]:
        del category
        async for price in source.watch(symbol):
            yield Ticker(
                symbol=price.symbol,
                last_price=price.last_price,
                bid_price=price.bid_price,
                ask_price=price.ask_price,
                volume_24h=price.volume_24h,
                as_of=price.as_of,
                stale=price.stale,
            )


def app() -> Starlette:
    graphql = GraphQL[None, None](strawberry.Schema(Query, subscription=Subscription))
    routes = [Route("/graphql", graphql), WebSocketRoute("/graphql", graphql)]
    return Starlette(routes=routes, lifespan=source.lifespan)


if __name__ == "__main__":
    serve(app())
