"""What staff sends about money, and how it becomes a command of the domain."""

from decimal import Decimal
from uuid import UUID

import strawberry

from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.wallets.desk.decisions import DecideProposal
from domain.wallets.desk.freezes import AboutWallet
from domain.wallets.desk.model import LedgerProposalId
from domain.wallets.desk.proposals import ProposeAdjustment, ProposeReversal
from domain.wallets.desk.stuck_holds import VoidHold
from domain.wallets.model import EntryId, HoldId
from schema._ids import decode_id

_KEY = "Chosen by the client, one per wish: the same again changes nothing."


@strawberry.input(description="More or less for whom, and why.")
class AdminProposeAdjustmentInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User, not one's own.")
    asset: str = strawberry.field(description="Such as `USDT`.")
    amount: Decimal = strawberry.field(
        description="Above zero puts money in, below takes it out; no finer than the asset."
    )
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")
    idempotency_key: UUID = strawberry.field(description=_KEY)

    def to_command(self) -> ProposeAdjustment | BadInput:
        found = decode_id(self.user_id, "User", argument="userId")
        if isinstance(found, BadInput):
            return found
        return ProposeAdjustment(
            UserId(found), self.asset, self.amount, self.reason, self.idempotency_key
        )


@strawberry.input(description="Which entry to take back, and why.")
class AdminProposeReversalInput:
    entry_id: strawberry.ID = strawberry.field(description="Of a LedgerEntry.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")
    idempotency_key: UUID = strawberry.field(description=_KEY)

    def to_command(self) -> ProposeReversal | BadInput:
        found = decode_id(self.entry_id, "LedgerEntry", argument="entryId")
        if isinstance(found, BadInput):
            return found
        return ProposeReversal(EntryId(found), self.reason, self.idempotency_key)


@strawberry.input(description="What to say to a correction that somebody else proposed.")
class AdminDecideAdjustmentInput:
    proposal_id: strawberry.ID = strawberry.field(description="Of a LedgerProposal.")
    approve: bool = strawberry.field(description="False: refuse it.")

    def to_command(self) -> DecideProposal | BadInput:
        found = _proposal_id(self.proposal_id)
        return found if isinstance(found, BadInput) else DecideProposal(found, self.approve)


@strawberry.input(description="Which of one's own corrections not to want any more.")
class AdminWithdrawAdjustmentInput:
    proposal_id: strawberry.ID = strawberry.field(description="Of a LedgerProposal.")

    def to_command(self) -> LedgerProposalId | BadInput:
        return _proposal_id(self.proposal_id)


@strawberry.input(description="Which wallet to freeze.")
class AdminFreezeWalletInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User.")
    asset: str = strawberry.field(description="Such as `USDT`.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")

    def to_command(self) -> AboutWallet | BadInput:
        return _about(self.user_id, self.asset, self.reason)


@strawberry.input(description="Which wallet to unfreeze.")
class AdminUnfreezeWalletInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User, not one's own.")
    asset: str = strawberry.field(description="Such as `USDT`.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")

    def to_command(self) -> AboutWallet | BadInput:
        return _about(self.user_id, self.asset, self.reason)


@strawberry.input(description="Which hold to give back.")
class AdminVoidHoldInput:
    hold_id: strawberry.ID = strawberry.field(
        description="Of a Hold that is past its expiry or an hour old."
    )
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")

    def to_command(self) -> VoidHold | BadInput:
        found = decode_id(self.hold_id, "Hold", argument="holdId")
        return found if isinstance(found, BadInput) else VoidHold(HoldId(found), self.reason)


def _proposal_id(text: str) -> LedgerProposalId | BadInput:
    found = decode_id(text, "LedgerProposal", argument="proposalId")
    return found if isinstance(found, BadInput) else LedgerProposalId(found)


def _about(user_id: str, asset: str, reason: str) -> AboutWallet | BadInput:
    found = decode_id(user_id, "User", argument="userId")
    return found if isinstance(found, BadInput) else AboutWallet(UserId(found), asset, reason)
