"""What staff does about money. What asks for a step-up, and why: docs/authorization.md."""

import strawberry

from domain.kernel.policy import Audience, FieldPolicy
from domain.users import ROLES_FOR, STEP_UP, Action
from resolvers import ledger_desk
from schema._view import resolved_by
from schema.ledger_desk_inputs import (
    AdminDecideAdjustmentInput,
    AdminFreezeWalletInput,
    AdminProposeAdjustmentInput,
    AdminProposeReversalInput,
    AdminUnfreezeWalletInput,
    AdminVoidHoldInput,
    AdminWithdrawAdjustmentInput,
)
from schema.ledger_desk_payloads import (
    AdminDecideAdjustmentPayload,
    AdminFreezeWalletPayload,
    AdminProposeAdjustmentPayload,
    AdminProposeReversalPayload,
    AdminUnfreezeWalletPayload,
    AdminVoidHoldPayload,
    AdminWithdrawAdjustmentPayload,
)


def _policy(action: Action, *, proven: bool) -> FieldPolicy:
    step_up = STEP_UP[action] if proven else None
    return FieldPolicy(Audience.STAFF, ROLES_FOR[action], cost=10, step_up=step_up)


_CORRECT = _policy(Action.CORRECT_LEDGER, proven=True)


@strawberry.type
class LedgerDeskMutations:
    admin_propose_adjustment: AdminProposeAdjustmentPayload = resolved_by(
        ledger_desk.propose_adjustment,
        takes=AdminProposeAdjustmentInput,
        payload=True,
        policy=_CORRECT,
        description="Wish for more or less on somebody's wallet. Nothing moves until somebody else "
        "agrees, within seven days. Needs a step-up.",
    )
    admin_propose_reversal: AdminProposeReversalPayload = resolved_by(
        ledger_desk.propose_reversal,
        takes=AdminProposeReversalInput,
        payload=True,
        policy=_CORRECT,
        description="Wish for an entry of the ledger to be taken back by another one. Nothing "
        "moves until somebody else agrees, within seven days. Needs a step-up.",
    )
    admin_decide_adjustment: AdminDecideAdjustmentPayload = resolved_by(
        ledger_desk.decide_adjustment,
        takes=AdminDecideAdjustmentInput,
        payload=True,
        policy=_CORRECT,
        description="Agree to or refuse an adjustment or a reversal that somebody else proposed. "
        "Agreeing posts it, once. With too little to take it stays open. Needs a step-up.",
    )
    admin_withdraw_adjustment: AdminWithdrawAdjustmentPayload = resolved_by(
        ledger_desk.withdraw_adjustment,
        takes=AdminWithdrawAdjustmentInput,
        payload=True,
        policy=_policy(Action.CORRECT_LEDGER, proven=False),
        description="Take back what one proposed oneself, while it is open.",
    )
    admin_freeze_wallet: AdminFreezeWalletPayload = resolved_by(
        ledger_desk.freeze_wallet,
        takes=AdminFreezeWalletInput,
        payload=True,
        policy=_policy(Action.FREEZE_WALLETS, proven=False),
        description="Let nothing leave one wallet of somebody's, who is told. What comes in is "
        "taken; what is held for something under way goes its way, and what two of staff agree to "
        "take back is taken.",
    )
    admin_unfreeze_wallet: AdminUnfreezeWalletPayload = resolved_by(
        ledger_desk.unfreeze_wallet,
        takes=AdminUnfreezeWalletInput,
        payload=True,
        policy=_policy(Action.UNFREEZE_WALLETS, proven=True),
        description="Let the wallet work again, never one's own. Needs a step-up.",
    )
    admin_void_hold: AdminVoidHoldPayload = resolved_by(
        ledger_desk.void_hold,
        takes=AdminVoidHoldInput,
        payload=True,
        policy=_CORRECT,
        description="Give back what a stuck hold keeps. Only when what placed it is over and will "
        "never resolve it: whoever still tries to gets HOLD_NOT_OPEN. Needs a step-up.",
    )
