"""What every resolver can reach: the caller, the services, the loaders of this operation."""

from dataclasses import dataclass

import strawberry

from domain.kernel.failures import Unavailable
from domain.kernel.viewer import Viewer
from domain.market import MarketData, OrderBooks, Tape
from domain.status import StatusBoard
from resolvers.loaders import Loaders
from resolvers.user_services import UserServices
from resolvers.wallet_services import WalletServices


@dataclass(frozen=True, slots=True)
class Services:
    """Everything the platform can do, one name per domain."""

    market: MarketData
    books: OrderBooks
    tape: Tape
    status: StatusBoard
    users: UserServices | None = None
    """Nothing where nobody can sign in: then everybody is anonymous, and prices still come."""
    wallets: WalletServices | None = None
    """Nothing where nobody can sign in."""


@dataclass(frozen=True, slots=True)
class Context:
    """The context of one operation."""

    viewer: Viewer
    services: Services
    loaders: Loaders

    @property
    def users(self) -> UserServices:
        """Raises Unavailable where nobody can sign in."""
        if self.services.users is None:
            raise Unavailable("account service")
        return self.services.users

    @property
    def wallets(self) -> WalletServices:
        """Raises Unavailable where nobody can sign in."""
        if self.services.wallets is None:
            raise Unavailable("wallet service")
        return self.services.wallets


Info = strawberry.Info[Context, None]


def context_for(viewer: Viewer, services: Services) -> Context:
    """A fresh context. Call it inside the running loop: loaders bind to it."""
    users = services.users
    accounts = None if users is None else users.accounts
    loaders = Loaders(services.market, services.books, accounts, services.wallets)
    return Context(viewer, services, loaders)
