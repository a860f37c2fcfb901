"""What staff narrows the books by."""

from datetime import datetime
from uuid import UUID

import strawberry

import schema.ledger_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.errors import BadInput
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import asset_code
from domain.wallets.desk.ports import AccountQuery, EntryQuery
from domain.wallets.model import AccountId, AccountKind, EntryKind, HoldId
from schema._ids import decode_id


@strawberry.input(description="Which entries; every given field narrows.")
class LedgerEntryFilter:
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Of a User.")
    account_id: strawberry.ID | None = strawberry.field(
        default=None, description="Of a LedgerAccount."
    )
    asset: str | None = strawberry.field(default=None, description="Such as `USDT`.")
    kinds: list[EntryKind] | None = strawberry.field(default=None, description="Any of these.")
    source: str | None = strawberry.field(default=None, description="The whole of it.")
    hold_id: strawberry.ID | None = strawberry.field(default=None, description="Of a Hold.")
    since: datetime | None = strawberry.field(default=None, description="From then on.")
    until: datetime | None = strawberry.field(default=None, description="Before then.")

    def to_domain(self) -> EntryQuery | BadInput:
        owner = _id(self.user_id, "User", "userId")
        if isinstance(owner, BadInput):
            return owner
        account = _id(self.account_id, "LedgerAccount", "accountId")
        if isinstance(account, BadInput):
            return account
        hold = _id(self.hold_id, "Hold", "holdId")
        if isinstance(hold, BadInput):
            return hold
        asset = _asset(self.asset)
        if isinstance(asset, BadInput):
            return asset
        return EntryQuery(
            owner=None if owner is None else UserId(owner),
            account_id=None if account is None else AccountId(account),
            asset=asset,
            kinds=frozenset(self.kinds or ()),
            source=self.source,
            hold_id=None if hold is None else HoldId(hold),
            since=self.since,
            until=self.until,
        )


@strawberry.input(description="Which accounts; every given field narrows.")
class LedgerAccountFilter:
    user_id: strawberry.ID | None = strawberry.field(default=None, description="Of a User.")
    asset: str | None = strawberry.field(default=None, description="Such as `USDT`.")
    kinds: list[AccountKind] | None = strawberry.field(default=None, description="Any of these.")
    frozen: bool | None = strawberry.field(
        default=None, description="Frozen ones only, or only those that are not."
    )

    def to_domain(self) -> AccountQuery | BadInput:
        owner = _id(self.user_id, "User", "userId")
        if isinstance(owner, BadInput):
            return owner
        asset = _asset(self.asset)
        if isinstance(asset, BadInput):
            return asset
        return AccountQuery(
            owner=None if owner is None else UserId(owner),
            asset=asset,
            kinds=frozenset(self.kinds or ()),
            frozen=self.frozen,
        )


def _id(text: str | None, kind: str, argument: str) -> UUID | BadInput | None:
    return None if text is None else decode_id(text, kind, argument=argument)


def _asset(text: str | None) -> AssetCode | BadInput | None:
    if text is None:
        return None
    return asset_code(text) or BadInput("asset", "write 1 to 20 of A-Z and 0-9.")
