"""What people send about money, and how it becomes a command of the domain."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

import domain.wallets.model
import schema.wallet_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.kernel.money import asset_code, trimmed
from domain.wallets import PreviewWish, TransferWish
from domain.wallets.ports import TransactionFilter
from schema._ids import decode_id


@strawberry.input(one_of=True, description="Whom, by one of the two.")
class RecipientRef:
    email: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Their verified address. You may name so many new ones a day; see "
        "TOO_MANY_RECIPIENTS.",
    )
    user_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Their `viewer { id }`, as they gave it to you."
    )

    def to_domain(self) -> UserId | str | BadInput:
        if isinstance(self.email, str):
            return self.email
        found = decode_id(str(self.user_id), "User", argument="recipient")
        return found if isinstance(found, BadInput) else UserId(found)


@strawberry.input(description="What to send to whom.")
class TransferFundsInput:
    recipient: RecipientRef = strawberry.field(description="Somebody else who has an account.")
    asset: str = strawberry.field(description="Its code, such as `USDT`.")
    amount: Decimal = strawberry.field(description="Above zero, no finer than the asset's scale.")
    idempotency_key: UUID = strawberry.field(
        description="A new one for each transfer you mean to make. Sent again with the same input, "
        "it is answered as it was first, for 90 days."
    )

    def to_command(self) -> TransferWish | BadInput:
        recipient = self.recipient.to_domain()
        if isinstance(recipient, BadInput):
            return recipient
        amount = trimmed(self.amount)
        return TransferWish(recipient, self.asset, amount, self.idempotency_key)


@strawberry.input(description="What you think of sending to whom.")
class PreviewTransferInput:
    recipient: RecipientRef = strawberry.field(description="Somebody else who has an account.")
    asset: str = strawberry.field(description="Its code, such as `USDT`.")
    amount: Decimal = strawberry.field(description="Above zero, no finer than the asset's scale.")

    def to_command(self) -> PreviewWish | BadInput:
        recipient = self.recipient.to_domain()
        if isinstance(recipient, BadInput):
            return recipient
        return PreviewWish(recipient, self.asset, trimmed(self.amount))


@strawberry.input(name="TransactionFilter", description="Which transactions; every field narrows.")
class TransactionFilterInput:
    asset: str | None = strawberry.field(default=None, description="Of this asset's wallet.")
    kinds: list[domain.wallets.model.EntryKind] | None = strawberry.field(
        default=None, description="Of one of these kinds."
    )
    states: list[domain.wallets.model.TransactionState] | None = strawberry.field(
        default=None, description="In one of these states."
    )
    since: datetime | None = strawberry.field(default=None, description="Not before this.")
    until: datetime | None = strawberry.field(default=None, description="Before this.")

    def to_domain(self) -> TransactionFilter | BadInput:
        asset = None if self.asset is None else asset_code(self.asset)
        if asset is None and self.asset is not None:
            return BadInput("filter", "asset: a code is 1 to 20 of A-Z and 0-9.")
        return TransactionFilter(
            asset=asset,
            kinds=frozenset(self.kinds or ()),
            states=frozenset(self.states or ()),
            since=self.since,
            until=self.until,
        )
