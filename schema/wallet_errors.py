"""Why a wallet says no, as clients see it."""

from decimal import Decimal

import strawberry

import domain.kernel.idempotency
import domain.wallets.errors
import schema.ledger_words  # noqa: F401  # the enums must be declared before they are shown
from domain.wallets.model import HoldState
from schema._shared import UserError
from schema._view import view_of


@view_of(
    domain.kernel.idempotency.IdempotencyInProgress,
    description="The same request is still being worked on: ask again with the same key.",
)
class IdempotencyInProgress(UserError):
    pass


@view_of(
    domain.kernel.idempotency.IdempotencyKeyReused,
    description="The key belongs to another request.",
)
class IdempotencyKeyReused(UserError):
    pass


@view_of(domain.wallets.errors.InsufficientFunds, description="More than is there to dispose of.")
class InsufficientFunds(UserError):
    asset: str = strawberry.field(description="Of what.")
    available: Decimal = strawberry.field(description="How much is there.")


@view_of(domain.wallets.errors.UnknownAsset, description="Wallets hold no such thing.")
class UnknownAsset(UserError):
    pass


@view_of(
    domain.wallets.errors.WalletFrozen,
    description="Nothing leaves the wallet until staff says so; what comes in is taken.",
)
class WalletFrozen(UserError):
    asset: str = strawberry.field(description="Which wallet.")


@view_of(
    domain.wallets.errors.HoldNotOpen, description="A hold is resolved once, and this one was."
)
class HoldNotOpen(UserError):
    state: HoldState = strawberry.field(description="What it is.")


WALLET_ERRORS = (
    IdempotencyInProgress,
    IdempotencyKeyReused,
    InsufficientFunds,
    UnknownAsset,
    WalletFrozen,
    HoldNotOpen,
)
