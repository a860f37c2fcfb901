"""The books as staff sees them: entries, accounts, corrections, stuck holds, the trial balance."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import strawberry

import domain.kernel.viewer
import domain.wallets.desk.model
import domain.wallets.model
import schema.ledger_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.policy import Audience, FieldPolicy
from domain.users import ROLES_FOR, Action
from domain.wallets.desk.model import LedgerProposalKind, LedgerProposalState
from domain.wallets.model import AccountKind, EntryKind, HoldState
from resolvers import ledger_desk
from schema._ids import id_of
from schema._shared import Connection
from schema._view import resolved_by, view_of
from schema.ledger_desk_filters import LedgerAccountFilter, LedgerEntryFilter
from schema.users import Detail

READ_LEDGER = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.READ_LEDGER], cost=5)
# A sum over everything that was ever posted.
_TRIAL = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.READ_LEDGER], cost=50)


@view_of(domain.wallets.model.Account, name="LedgerAccountName", description="Which account it is.")
class LedgerAccountName:
    id: strawberry.ID = id_of("LedgerAccount")
    kind: AccountKind = strawberry.field(description="What it is for.")
    asset: str = strawberry.field(description="Of what.")
    user_id: strawberry.ID | None = id_of("User", "owner", description="Null: it is the house's.")
    name: str = strawberry.field(description="Tells house accounts of one kind apart.")


@view_of(
    domain.wallets.desk.model.LedgerLine,
    name="LedgerPosting",
    description="One account's share of an entry.",
)
class LedgerPosting:
    account: LedgerAccountName = strawberry.field(description="Whose share.")
    amount: Decimal = strawberry.field(description="Above zero a credit, below a debit.")
    sequence: int | None = strawberry.field(
        description="1, 2, 3 ... without a gap on a user's account; null on the house's."
    )
    balance: Decimal | None = strawberry.field(
        description="Of the account right after it; null on the house's."
    )


@view_of(
    domain.wallets.desk.model.LedgerEntry,
    description="What happened at once, with all that it moved. Never changed.",
)
class LedgerEntry:
    id: strawberry.ID = id_of("LedgerEntry")
    position: str = strawberry.field(
        description="A whole number that rises with every entry; some are missing."
    )
    kind: EntryKind = strawberry.field(description="What it tells of.")
    at: datetime = strawberry.field(description="When.")
    actor_id: strawberry.ID | None = id_of(
        "User", "actor", description="Who asked for it; null for the clock or the venue."
    )
    source: str | None = strawberry.field(
        description="What caused it, outside of the ledger: an entry per source, for ever."
    )
    reverses: strawberry.ID | None = id_of(
        "LedgerEntry", "reverses", description="The entry it takes back."
    )
    reversed_by: strawberry.ID | None = id_of(
        "LedgerEntry", "reversed_by", description="The entry that took it back."
    )
    hold_id: strawberry.ID | None = id_of("Hold", "hold_id", description="The hold it is about.")
    details: list[Detail] = resolved_by(
        ledger_desk.details_of_entry, description="Ids and words, in order of name."
    )
    postings: list[LedgerPosting] = resolved_by(
        ledger_desk.postings_of_entry, description="They sum to zero, asset by asset."
    )


@view_of(domain.wallets.desk.model.LedgerAccount, description="An account and where it stands.")
class LedgerAccount:
    id: strawberry.ID = id_of("LedgerAccount")
    kind: AccountKind = strawberry.field(description="What it is for.")
    asset: str = strawberry.field(description="Of what.")
    user_id: strawberry.ID | None = id_of("User", "owner", description="Null: it is the house's.")
    name: str = strawberry.field(description="Tells house accounts of one kind apart.")
    opened_at: datetime = strawberry.field(description="When the first posting made it.")
    balance: Decimal = strawberry.field(
        description="Users': at or above zero. The house's: the sum of its postings."
    )
    sequence: int | None = strawberry.field(
        description="How many postings a user's account has; null for the house's."
    )
    frozen: bool = strawberry.field(
        description="Whether nothing leaves it until staff says so; what comes in is taken."
    )


@view_of(
    domain.wallets.desk.model.TrialRow,
    description="What accounts of one kind came to: the house's by name, users' all together.",
)
class TrialRow:
    kind: AccountKind = strawberry.field(description="Which kind.")
    name: str = strawberry.field(description="Which of the house's; empty for users'.")
    accounts: int = strawberry.field(description="How many.")
    debits: Decimal = strawberry.field(description="How much was taken out of them.")
    credits: Decimal = strawberry.field(description="How much was put into them.")
    balance: Decimal = strawberry.field(description="Credits without debits.")


@view_of(domain.wallets.desk.model.AssetTrial, description="All accounts of one asset.")
class AssetTrial:
    asset: str = strawberry.field(description="Which.")
    debits: Decimal = strawberry.field(description="Of all of them.")
    credits: Decimal = strawberry.field(description="Of all of them.")
    balance: Decimal = strawberry.field(description="Zero, or the books are wrong.")
    rows: list[TrialRow] = strawberry.field(description="In order of kind and name.")


@view_of(
    domain.wallets.desk.model.TrialBalance,
    description="Everything that was posted, added up, as one moment saw it.",
)
class TrialBalance:
    as_of: datetime = strawberry.field(description="Of what happened until then.")
    position: str | None = strawberry.field(
        description="Of the newest entry in it; null before the first."
    )
    balanced: bool = strawberry.field(description="Whether every asset comes to zero.")
    assets: list[AssetTrial] = strawberry.field(description="In order of code.")


@view_of(
    domain.wallets.desk.model.LedgerProposal,
    description="A wish to correct the books: somebody else of staff decides it.",
)
class LedgerProposal:
    id: strawberry.ID = id_of("LedgerProposal")
    kind: LedgerProposalKind = strawberry.field(description="What is wished for.")
    user_id: strawberry.ID = id_of(
        "User",
        "owner",
        description="Whose wallet it is about; of a reversal, who would give most back.",
    )
    asset: str | None = strawberry.field(description="Of an adjustment.")
    amount: Decimal | None = strawberry.field(
        description="Of an adjustment: above zero puts money in, below takes it out."
    )
    entry_id: strawberry.ID | None = id_of(
        "LedgerEntry", "entry_id", description="Of a reversal: the entry to be taken back."
    )
    reason: str | None = strawberry.field(
        description="What who proposed it wrote; null once the account was erased."
    )
    state: LedgerProposalState = strawberry.field(description="Where it stands.")
    proposed_by: strawberry.ID = id_of("User", "proposed_by", description="By whom.")
    created_at: datetime = strawberry.field(description="When.")
    expires_at: datetime = strawberry.field(description="Until when it can be decided.")
    decided_by: strawberry.ID | None = id_of(
        "User", "decided_by", description="Who decided or withdrew it."
    )
    decided_at: datetime | None = strawberry.field(description="When.")
    posted_as: strawberry.ID | None = id_of(
        "LedgerEntry", "posted_as", description="The entry that came of it, once approved."
    )


@view_of(
    domain.wallets.model.Hold,
    name="LedgerHold",
    description="An amount that is still somebody's and that they cannot use, as staff sees it.",
)
class LedgerHold:
    id: strawberry.ID = id_of("Hold")
    user_id: strawberry.ID = id_of("User", "owner", description="Whose it is.")
    asset: str = strawberry.field(description="Of what.")
    amount: Decimal = strawberry.field(description="How much was reserved.")
    reason: str = strawberry.field(description="What for: `withdrawal`, `order`.")
    state: HoldState = strawberry.field(description="Where it stands.")
    created_at: datetime = strawberry.field(description="Since when.")
    expires_at: datetime | None = strawberry.field(
        description="When it is given back by itself; null: never."
    )
    posted: Decimal = strawberry.field(description="How much of it was taken.")
    resolved_at: datetime | None = strawberry.field(description="Null while it is open.")


_ENTRIES = {
    "filter": Annotated[LedgerEntryFilter | None, strawberry.argument(description="Which.")]
}
_ACCOUNTS = {
    "filter": Annotated[LedgerAccountFilter | None, strawberry.argument(description="Which.")]
}


@view_of(
    domain.kernel.viewer.Viewer,
    name="AdminLedger",
    description="The books. Looking at somebody's money is written to the log.",
)
class AdminLedger:
    entries: Connection[LedgerEntry] | None = resolved_by(
        ledger_desk.entries,
        shown_as=_ENTRIES,
        policy=READ_LEDGER,
        description="The journal, newest first. Narrow by user, account, hold or source: what is "
        "rare and long ago takes long to find otherwise.",
    )
    entry: LedgerEntry | None = resolved_by(
        ledger_desk.entry, ids={"id": "LedgerEntry"}, policy=READ_LEDGER, description="One entry."
    )
    accounts: Connection[LedgerAccount] | None = resolved_by(
        ledger_desk.accounts,
        shown_as=_ACCOUNTS,
        policy=READ_LEDGER,
        description="Users' accounts and the house's, in an order that means nothing.",
    )
    account: LedgerAccount | None = resolved_by(
        ledger_desk.account,
        ids={"id": "LedgerAccount"},
        policy=READ_LEDGER,
        description="One account.",
    )
    trial_balance: TrialBalance | None = resolved_by(
        ledger_desk.trial_balance,
        policy=_TRIAL,
        description="Debits, credits and balances of all accounts. Adds up the whole journal.",
    )
    adjustments: Connection[LedgerProposal] | None = resolved_by(
        ledger_desk.adjustments,
        policy=READ_LEDGER,
        description="Corrections that were proposed, reversals among them, newest first.",
    )
    stuck_holds: Connection[LedgerHold] | None = resolved_by(
        ledger_desk.stuck_holds,
        policy=READ_LEDGER,
        description="Open holds past their time, oldest first.",
    )
