"""Every reason why the platform says no about money, as clients see it."""

from datetime import datetime
from decimal import Decimal

import strawberry

import domain.kernel.idempotency
import domain.wallets.errors
import domain.wallets.model
import schema.wallet_words  # noqa: F401  # the enums must be declared before they are shown
from schema._shared import UserError
from schema._view import view_of


@view_of(domain.wallets.errors.InsufficientFunds, description="More than there is to dispose of.")
class InsufficientFunds(UserError):
    asset: str = strawberry.field(description="Of which there is not enough.")
    available: Decimal = strawberry.field(description="What there is.")


@view_of(domain.wallets.errors.UnknownAsset, description="Wallets hold no such thing.")
class UnknownAsset(UserError):
    pass


@view_of(
    domain.wallets.errors.BadAmount,
    description="Not above zero, 10^18 or more, or finer than the asset is counted.",
)
class BadAmount(UserError):
    asset: str = strawberry.field(description="Of what.")
    scale: int = strawberry.field(description="How many digits behind the point it may have.")


@view_of(
    domain.wallets.errors.UnknownRecipient,
    description="Nobody has this id, or has verified this address: both look the same.",
)
class UnknownRecipient(UserError):
    pass


@view_of(domain.wallets.errors.OwnWallet, description="Money sent to oneself goes nowhere.")
class OwnWallet(UserError):
    pass


@view_of(
    domain.wallets.errors.WalletFrozen,
    description="Nothing leaves the wallet until staff says so; what comes in is taken.",
)
class WalletFrozen(UserError):
    asset: str = strawberry.field(description="Whose wallet it is.")


@view_of(
    domain.wallets.errors.LimitExceeded,
    description="More than may be sent, at once or within a while.",
)
class LimitExceeded(UserError):
    asset: str = strawberry.field(description="Of what.")
    period: domain.wallets.model.LimitPeriod = strawberry.field(description="Which limit.")
    limit: Decimal = strawberry.field(description="What may be sent in the period.")
    used: Decimal = strawberry.field(description="What was sent in it.")
    remaining: Decimal = strawberry.field(description="What is left of it.")
    resets_at: datetime | None = strawberry.field(
        description="When the first of `used` is free again; null when nothing is used."
    )


@view_of(
    domain.wallets.errors.TooManyRecipients,
    description="More new addresses than one person has to name in a day.",
)
class TooManyRecipients(UserError):
    retry_after_seconds: int = strawberry.field(
        description="How long until new ones can be named; known ones can be at any time."
    )


@view_of(
    domain.kernel.idempotency.IdempotencyInProgress,
    description="The same request is still being worked on: ask again with the same key.",
)
class IdempotencyInProgress(UserError):
    pass


@view_of(
    domain.kernel.idempotency.IdempotencyKeyReused,
    description="The key was used for something else: take a new one.",
)
class IdempotencyKeyReused(UserError):
    pass


IdempotencyRefusal = IdempotencyInProgress | IdempotencyKeyReused
"""What becomes of a key that is not new."""

WALLET_ERRORS = (
    InsufficientFunds,
    UnknownAsset,
    BadAmount,
    UnknownRecipient,
    OwnWallet,
    WalletFrozen,
    LimitExceeded,
    TooManyRecipients,
    IdempotencyInProgress,
    IdempotencyKeyReused,
)
