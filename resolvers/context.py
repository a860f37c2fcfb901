"""What every resolver can reach: the caller, the services, the loaders of this operation."""

from dataclasses import dataclass

import strawberry

from domain.kernel.viewer import Viewer
from domain.market import MarketData, OrderBooks, Tape
from domain.status import StatusBoard
from resolvers.loaders import Loaders


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the platform can do, one name per domain."""

    market: MarketData
    books: OrderBooks
    tape: Tape
    status: StatusBoard


@dataclass(frozen=True, slots=True)
class Context:
    """The context of one operation."""

    viewer: Viewer
    services: Services
    loaders: Loaders


Info = strawberry.Info[Context, None]


def context_for(viewer: Viewer, services: Services) -> Context:
    """A fresh context. Call it inside the running loop: loaders bind to it."""
    return Context(viewer, services, Loaders(services.market, services.books))
