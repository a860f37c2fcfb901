"""What staff's mutations about money answer: a success, or one of the reasons why not."""

from typing import Annotated

import strawberry

import domain.wallets.desk.model
import domain.wallets.model
from schema._view import success_of, whole
from schema.ledger_desk import LedgerAccount, LedgerHold, LedgerProposal
from schema.ledger_desk_errors import (
    HoldNotOpen,
    NotReversible,
    OwnMoney,
    ProposalExpired,
)
from schema.user_errors import (
    AlreadyDecided,
    BadInput,
    NeedsSecondPerson,
    NotFound,
    StaffRefusal,
    StepUpRefusal,
)
from schema.wallet_errors import (
    IdempotencyRefusal,
    InsufficientFunds,
    UnknownAsset,
    WalletFrozen,
)


@success_of(
    domain.wallets.desk.model.LedgerProposal, description="Waits for somebody else of staff."
)
class AdminProposeAdjustmentSuccess:
    proposal: LedgerProposal = whole(description="As it is now.")


@success_of(
    domain.wallets.desk.model.LedgerProposal, description="Waits for somebody else of staff."
)
class AdminProposeReversalSuccess:
    proposal: LedgerProposal = whole(description="As it is now.")


@success_of(
    domain.wallets.desk.model.LedgerProposal,
    description="It is decided; what was approved is in the journal.",
)
class AdminDecideAdjustmentSuccess:
    proposal: LedgerProposal = whole(description="As it is now.")


@success_of(domain.wallets.desk.model.LedgerProposal, description="Nobody can decide it any more.")
class AdminWithdrawAdjustmentSuccess:
    proposal: LedgerProposal = whole(description="As it is now.")


@success_of(
    domain.wallets.desk.model.LedgerAccount, description="Nothing leaves the wallet any more."
)
class AdminFreezeWalletSuccess:
    account: LedgerAccount = whole(description="As it is now.")


@success_of(domain.wallets.desk.model.LedgerAccount, description="The wallet works again.")
class AdminUnfreezeWalletSuccess:
    account: LedgerAccount = whole(description="As it is now.")


@success_of(domain.wallets.model.Hold, description="Its owner can use it again.")
class AdminVoidHoldSuccess:
    hold: LedgerHold = whole(description="As it is now.")


AdminProposeAdjustmentPayload = Annotated[
    AdminProposeAdjustmentSuccess
    | UnknownAsset
    | NotFound
    | OwnMoney
    | BadInput
    | IdempotencyRefusal
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminProposeAdjustmentPayload", description="What became of it."),
]
AdminProposeReversalPayload = Annotated[
    AdminProposeReversalSuccess
    | NotReversible
    | NotFound
    | OwnMoney
    | BadInput
    | IdempotencyRefusal
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminProposeReversalPayload", description="What became of it."),
]
AdminDecideAdjustmentPayload = Annotated[
    AdminDecideAdjustmentSuccess
    | NotFound
    | NeedsSecondPerson
    | OwnMoney
    | AlreadyDecided
    | ProposalExpired
    | NotReversible
    | InsufficientFunds
    | WalletFrozen
    | BadInput
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminDecideAdjustmentPayload", description="What became of it."),
]
AdminWithdrawAdjustmentPayload = Annotated[
    AdminWithdrawAdjustmentSuccess
    | NotFound
    | AlreadyDecided
    | ProposalExpired
    | BadInput
    | StaffRefusal,
    strawberry.union("AdminWithdrawAdjustmentPayload", description="What became of it."),
]
AdminFreezeWalletPayload = Annotated[
    AdminFreezeWalletSuccess | NotFound | UnknownAsset | BadInput | StaffRefusal,
    strawberry.union("AdminFreezeWalletPayload", description="What became of it."),
]
AdminUnfreezeWalletPayload = Annotated[
    AdminUnfreezeWalletSuccess
    | NotFound
    | UnknownAsset
    | OwnMoney
    | BadInput
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminUnfreezeWalletPayload", description="What became of it."),
]
AdminVoidHoldPayload = Annotated[
    AdminVoidHoldSuccess
    | NotFound
    | HoldNotOpen
    | OwnMoney
    | BadInput
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminVoidHoldPayload", description="What became of it."),
]
