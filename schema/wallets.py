"""Wallets as clients see them: what there is, and why."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import domain.wallets
import domain.wallets.model
import schema.wallet_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.policy import Audience, FieldPolicy
from resolvers import wallets
from schema._ids import id_of
from schema._shared import Connection, UserError
from schema._view import resolved_by, view_of
from schema.wallet_inputs import PreviewTransferInput, TransactionFilterInput

_PUBLIC = FieldPolicy(Audience.ANYONE)
FILTERED = {
    "filter": Annotated[
        TransactionFilterInput | None,
        strawberry.argument(description="Which of them; all by default."),
    ]
}
"""How the filter of transactions is sent."""


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


@view_of(
    domain.wallets.model.Recipient,
    description="Somebody money goes to or came from, as far as the other one may see.",
)
class Recipient:
    email: str | None = strawberry.field(
        description="Masked: `a***@e***.org`. Null once they are gone."
    )
    name: str | None = strawberry.field(
        description="Initials of what they call themselves; null when they do not."
    )


@view_of(domain.wallets.model.Hold, description="An amount that is yours and cannot be used.")
class Hold:
    id: strawberry.ID = id_of("Hold")
    asset: str = strawberry.field(description="Of what.")
    amount: Decimal = strawberry.field(description="How much was reserved.")
    reason: str = strawberry.field(description="What for: `withdrawal`, `order`.")
    state: domain.wallets.model.HoldState = strawberry.field(description="Where it stands.")
    posted: Decimal = strawberry.field(description="How much was taken; zero unless POSTED.")
    created_at: datetime = strawberry.field(description="Since when.")
    expires_at: datetime | None = strawberry.field(
        description="When it is given back by itself; null when never."
    )
    resolved_at: datetime | None = strawberry.field(description="Null while OPEN.")


@view_of(
    domain.wallets.model.Transaction,
    description="What an entry of the journal did to one wallet. Never changes but for `state`.",
)
class Transaction:
    id: strawberry.ID = id_of("Transaction")
    entry_id: strawberry.ID = id_of(
        "Entry", "entry_id", description="The entry: the same for all wallets it touched."
    )
    kind: domain.wallets.model.EntryKind = strawberry.field(description="What it is.")
    state: domain.wallets.model.TransactionState = strawberry.field(
        description="What became of it since."
    )
    at: datetime = strawberry.field(description="When.")
    asset: str = strawberry.field(description="Whose wallet it touched.")
    available_change: Decimal = strawberry.field(description="Below zero when it took.")
    held_change: Decimal = strawberry.field(description="Below zero when it took.")
    available_after: Decimal | None = strawberry.field(
        description="What was available right after; null when it was not touched."
    )
    held_after: Decimal | None = strawberry.field(
        description="What was held right after; null when it was not touched."
    )
    counterparty: Recipient | None = resolved_by(
        wallets.counterparty_of_transaction,
        description="With a TRANSFER: who it went to, or came from.",
    )
    hold: Hold | None = resolved_by(
        wallets.hold_of_transaction, description="The hold it placed or resolved, as it is now."
    )
    source: str | None = strawberry.field(
        description="What caused it outside of the ledger, such as `faucet:...`."
    )
    reverses: strawberry.ID | None = id_of(
        "Entry", "reverses", description="With a REVERSAL: the entry it took back."
    )


@view_of(
    domain.wallets.model.Explanation,
    name="WalletExplanation",
    description="Why a balance is what it is.",
)
class WalletExplanation:
    available: Decimal = strawberry.field(description="What the newest transaction left.")
    held: Decimal = strawberry.field(description="What the newest transaction left.")
    transactions: list[Transaction] = strawberry.field(
        description="The newest 20, newest first; `transactions` has them all."
    )
    holds: list[Hold] = strawberry.field(
        description="Every open hold, oldest first: together they are `held`."
    )


@view_of(domain.wallets.model.Wallet, description="What somebody has of one asset.")
class Wallet:
    id: strawberry.ID = id_of("Wallet")
    asset: str = strawberry.field(description="Its code.")
    asset_details: Asset | None = resolved_by(
        wallets.asset_of_wallet, description="What that is, with its scale and networks."
    )
    available: Decimal = strawberry.field(description="What can be disposed of.")
    held: Decimal = strawberry.field(
        description="Reserved for something under way, such as a withdrawal."
    )
    total: Decimal = strawberry.field(description="`available` and `held` together.")
    pending: Decimal = strawberry.field(
        description="Announced and not credited yet; not part of `total`."
    )
    frozen: bool = strawberry.field(
        description="Whether nothing leaves it until staff says so; what comes in is taken."
    )
    as_of: datetime = strawberry.field(description="When this was true.")
    stale: bool = strawberry.field(description="Whether it may be out of date.")
    transactions: Connection[Transaction] | None = resolved_by(
        wallets.transactions_of_wallet,
        shown_as=FILTERED,
        description="What happened in it, newest first.",
    )
    explain: WalletExplanation | None = resolved_by(
        wallets.explanation_of_wallet,
        description="The transactions and open holds behind the balance.",
    )


@view_of(
    domain.wallets.model.TransferLimit,
    description="How much may be sent to others of one asset. Periods roll: they end now.",
)
class TransferLimit:
    asset: str = strawberry.field(description="Of what.")
    period: domain.wallets.model.LimitPeriod = strawberry.field(description="What it counts.")
    limit: Decimal = strawberry.field(description="What may be sent in the period.")
    used: Decimal = strawberry.field(description="What was sent in it.")
    remaining: Decimal = strawberry.field(description="What is left of it.")
    resets_at: datetime | None = strawberry.field(
        description="When the first of `used` is free again; null when nothing is used."
    )


@view_of(
    domain.wallets.TransferPreview,
    description="What a transfer would come to right now. Nothing is reserved.",
)
class TransferPreview:
    allowed: bool = strawberry.field(description="True without obstacles.")
    asset: str = strawberry.field(description="As asked for.")
    amount: Decimal = strawberry.field(description="As asked for: what they would get.")
    fee: Decimal = strawberry.field(description="What you would pay on top.")
    available_after: Decimal | None = strawberry.field(
        description="What you would have left; null when there is not enough."
    )
    recipient: Recipient | None = strawberry.field(
        description="Who would get it, masked, for you to recognise; null when nobody would."
    )
    obstacles: list[UserError] = strawberry.field(
        description="Everything `transferFunds` would object to; it would answer the first."
    )


@strawberry.type
class WalletQueries:
    assets: list[Asset] | None = resolved_by(
        wallets.assets, policy=_PUBLIC, description="What wallets can hold, in order of code."
    )
    asset: Asset | None = resolved_by(wallets.asset, policy=_PUBLIC, description="One of them.")
    preview_transfer: TransferPreview | None = resolved_by(
        wallets.preview_transfer,
        takes=PreviewTransferInput,
        policy=FieldPolicy(Audience.SIGNED_IN, cost=5),
        description="Try a transfer without making it: who would get it, what would be left, and "
        "everything that stands against it.",
    )
