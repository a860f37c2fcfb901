"""What people do with their money. A plain session is enough: decision 34 says why."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import domain.wallets
from domain.kernel.policy import Audience, FieldPolicy
from resolvers import wallets
from schema._ids import id_of
from schema._view import resolved_by, success_of, view_of, whole
from schema.user_errors import BadInput, Unauthenticated
from schema.wallet_errors import (
    BadAmount,
    IdempotencyRefusal,
    InsufficientFunds,
    LimitExceeded,
    OwnWallet,
    TooManyRecipients,
    UnknownAsset,
    UnknownRecipient,
    WalletFrozen,
)
from schema.wallet_inputs import TransferFundsInput
from schema.wallets import Recipient, Wallet

_OWN = FieldPolicy(Audience.SIGNED_IN, cost=10)


@view_of(domain.wallets.Transfer, description="A transfer that was made. It is final.")
class Transfer:
    entry_id: strawberry.ID = id_of(
        "Entry", "entry_id", description="The entry of the journal: the receipt's number."
    )
    asset: str = strawberry.field(description="What was sent.")
    amount: Decimal = strawberry.field(description="What they got.")
    fee: Decimal = strawberry.field(description="What you paid on top.")
    available: Decimal = strawberry.field(description="What you had left right after it.")
    at: datetime = strawberry.field(description="When.")
    recipient: Recipient | None = resolved_by(
        wallets.recipient_of_transfer, description="Who got it, masked."
    )
    wallet: Wallet | None = resolved_by(
        wallets.wallet_of_transfer, description="Yours, as it is now."
    )


@success_of(domain.wallets.Transfer, description="The money is theirs.")
class TransferFundsSuccess:
    transfer: Transfer = whole(description="As it was made, also when you ask again.")


TransferFundsPayload = Annotated[
    TransferFundsSuccess
    | UnknownAsset
    | BadAmount
    | OwnWallet
    | UnknownRecipient
    | TooManyRecipients
    | LimitExceeded
    | InsufficientFunds
    | WalletFrozen
    | IdempotencyRefusal
    | BadInput
    | Unauthenticated,
    strawberry.union("TransferFundsPayload", description="What became of it."),
]


@strawberry.type
class WalletMutations:
    transfer_funds: TransferFundsPayload = resolved_by(
        wallets.transfer_funds,
        takes=TransferFundsInput,
        payload=True,
        policy=_OWN,
        description="Send money to somebody else here: at once, free of charge, and final. "
        "Sent twice with one key it is made once.",
    )
