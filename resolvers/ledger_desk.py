"""Fields about the books, for staff. Who looked is in the log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.kernel.errors import AlreadyDecided, BadInput, NotFound
from domain.kernel.page import DEFAULT_PAGE_SIZE, Page
from domain.kernel.viewer import Viewer
from domain.users.model import Detail
from domain.wallets.desk.decisions import DecideProposal, Undecided
from domain.wallets.desk.errors import NotReversible, OwnMoney, ProposalExpired
from domain.wallets.desk.freezes import AboutWallet
from domain.wallets.desk.model import (
    LedgerAccount,
    LedgerEntry,
    LedgerLine,
    LedgerProposal,
    LedgerProposalId,
    LedgerProposalState,
    TrialBalance,
)
from domain.wallets.desk.ports import AccountQuery, EntryQuery
from domain.wallets.desk.proposals import ProposeAdjustment, ProposeReversal, Unproposed
from domain.wallets.desk.stuck_holds import VoidHold
from domain.wallets.errors import HoldNotOpen, UnknownAsset
from domain.wallets.model import AccountId, EntryId, Hold
from resolvers.context import Info
from resolvers.market import After, First

DAY_SECONDS = 86_400


async def ledger(info: Info) -> Viewer:
    return info.context.viewer


async def entries(
    info: Info,
    filter: EntryQuery | None = None,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[LedgerEntry] | BadInput:
    return await info.context.ledger.explorer.entries(
        info.context.viewer, filter or EntryQuery(), first=first, after=after
    )


async def entry(info: Info, id: EntryId) -> LedgerEntry | NotFound:
    return await info.context.ledger.explorer.entry(info.context.viewer, id)


async def details_of_entry(entry: Parent[LedgerEntry]) -> Sequence[Detail]:
    return [Detail(name, value) for name, value in sorted(entry.details.items())]


async def postings_of_entry(entry: Parent[LedgerEntry]) -> Sequence[LedgerLine]:
    return entry.lines


async def accounts(
    info: Info,
    filter: AccountQuery | None = None,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[LedgerAccount] | BadInput:
    return await info.context.ledger.explorer.accounts(
        info.context.viewer, filter or AccountQuery(), first=first, after=after
    )


async def account(info: Info, id: AccountId) -> LedgerAccount | NotFound:
    return await info.context.ledger.explorer.account(info.context.viewer, id)


async def trial_balance(
    info: Info,
    as_of: Annotated[
        datetime | None,
        strawberry.argument(description="Only what happened until then; everything without."),
    ] = None,
) -> TrialBalance:
    return await info.context.ledger.explorer.trial_balance(as_of)


async def adjustments(
    info: Info,
    state: Annotated[
        LedgerProposalState | None,
        strawberry.argument(description="Only these; all without."),
    ] = None,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[LedgerProposal] | BadInput:
    return await info.context.ledger.proposals.page(
        info.context.viewer, state, first=first, after=after
    )


async def stuck_holds(
    info: Info,
    older_than_seconds: Annotated[
        int,
        strawberry.argument(
            description="How old an open hold has to be, 0 to 31622400; those past their expiry "
            "are always among them."
        ),
    ] = DAY_SECONDS,
    reason: Annotated[
        str | None,
        strawberry.argument(description="Only those placed for this: `withdrawal`, `order`."),
    ] = None,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[Hold] | BadInput:
    return await info.context.ledger.stuck_holds.page(
        info.context.viewer,
        older_than_seconds=older_than_seconds,
        reason=reason,
        first=first,
        after=after,
    )


async def propose_adjustment(
    info: Info, command: ProposeAdjustment
) -> LedgerProposal | UnknownAsset | Unproposed:
    return await info.context.ledger.proposals.adjustment(info.context.viewer, command)


async def propose_reversal(
    info: Info, command: ProposeReversal
) -> LedgerProposal | NotReversible | Unproposed:
    return await info.context.ledger.proposals.reversal(info.context.viewer, command)


async def decide_adjustment(info: Info, command: DecideProposal) -> LedgerProposal | Undecided:
    return await info.context.ledger.decisions.decide(info.context.viewer, command)


async def withdraw_adjustment(
    info: Info, command: LedgerProposalId
) -> LedgerProposal | NotFound | AlreadyDecided | ProposalExpired | BadInput:
    return await info.context.ledger.proposals.withdraw(info.context.viewer, command)


async def freeze_wallet(
    info: Info, command: AboutWallet
) -> LedgerAccount | NotFound | UnknownAsset | BadInput:
    return await info.context.ledger.freezes.freeze(info.context.viewer, command)


async def unfreeze_wallet(
    info: Info, command: AboutWallet
) -> LedgerAccount | NotFound | UnknownAsset | OwnMoney | BadInput:
    return await info.context.ledger.freezes.unfreeze(info.context.viewer, command)


async def void_hold(
    info: Info, command: VoidHold
) -> Hold | NotFound | HoldNotOpen | OwnMoney | BadInput:
    return await info.context.ledger.stuck_holds.void(info.context.viewer, command)
