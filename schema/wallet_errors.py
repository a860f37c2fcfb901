"""Every reason why the platform says no about money, as clients see it."""

import domain.kernel.idempotency
import domain.wallets.errors
from schema._shared import UserError
from schema._view import view_of


@view_of(domain.wallets.errors.UnknownAsset, description="Wallets hold no such thing.")
class UnknownAsset(UserError):
    pass


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


WALLET_ERRORS = (UnknownAsset, IdempotencyInProgress, IdempotencyKeyReused)
