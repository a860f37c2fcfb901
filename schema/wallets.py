"""Wallets as clients see them: what there is, and why."""

from datetime import datetime
from decimal import Decimal

import strawberry

import domain.wallets.model
from domain.kernel.policy import Audience, FieldPolicy
from resolvers import wallets
from schema._ids import id_of
from schema._view import resolved_by, view_of

_PUBLIC = FieldPolicy(Audience.ANYONE)


@view_of(domain.wallets.model.Network, description="One chain an asset lives on.")
class Network:
    code: str = strawberry.field(description="The venue's name for it: `TRX`, `ETH`.")
    name: str = strawberry.field(description="What people call it.")
    scale: int = strawberry.field(description="Digits behind the point that the chain knows.")
    confirmations: int = strawberry.field(description="How many blocks make a deposit certain.")
    min_deposit: Decimal = strawberry.field(description="Less than this is not credited.")
    memo: bool = strawberry.field(
        description="Whether an address needs a memo or tag to name its owner."
    )


@view_of(domain.wallets.model.Asset, description="Something wallets hold.")
class Asset:
    code: str = strawberry.field(description="Such as `USDT`: 1 to 20 of A-Z and 0-9.")
    name: str = strawberry.field(description="What people call it.")
    scale: int = strawberry.field(
        description="Digits behind the point in our books: amounts are no finer. Never changes."
    )
    networks: list[Network] = strawberry.field(description="The chains it lives on.")


@view_of(domain.wallets.model.Wallet, description="What somebody has of one asset.")
class Wallet:
    id: strawberry.ID = id_of("Wallet")
    asset: str = strawberry.field(description="Its code.")
    available: Decimal = strawberry.field(description="What can be disposed of.")
    held: Decimal = strawberry.field(
        description="Reserved for something under way, such as a withdrawal."
    )
    total: Decimal = strawberry.field(description="`available` and `held` together.")
    pending: Decimal = strawberry.field(
        description="Announced and not credited yet; not part of `total`."
    )
    as_of: datetime = strawberry.field(description="When this was true.")
    stale: bool = strawberry.field(description="Whether it may be out of date.")


@strawberry.type
class WalletQueries:
    assets: list[Asset] | None = resolved_by(
        wallets.assets, policy=_PUBLIC, description="What wallets can hold, in order of code."
    )
    asset: Asset | None = resolved_by(wallets.asset, policy=_PUBLIC, description="One of them.")
