"""What staff does. What asks for a step-up, and why: docs/authorization.md."""

import strawberry

from domain.kernel.policy import Audience, FieldPolicy
from domain.users import ROLES_FOR, STEP_UP, Action
from resolvers import back_office
from schema._view import resolved_by
from schema.back_office_inputs import (
    AdminAddNoteInput,
    AdminDecideProposalInput,
    AdminEndSessionsInput,
    AdminFreezeUserInput,
    AdminGrantRoleInput,
    AdminProposeAdministratorInput,
    AdminRevealUserInput,
    AdminUnfreezeUserInput,
    AdminWithdrawRoleInput,
)
from schema.back_office_payloads import (
    AdminAddNotePayload,
    AdminDecideProposalPayload,
    AdminEndSessionsPayload,
    AdminFreezeUserPayload,
    AdminGrantRolePayload,
    AdminProposeAdministratorPayload,
    AdminRevealUserPayload,
    AdminUnfreezeUserPayload,
    AdminWithdrawRolePayload,
)


def _proven(action: Action) -> FieldPolicy:
    return FieldPolicy(Audience.STAFF, ROLES_FOR[action], cost=10, step_up=STEP_UP[action])


_PEOPLE = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.HELP_PEOPLE], cost=10)
# Taking a role away is a defence, too: it never waits for a second factor.
_ROLES = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.CHANGE_ROLES], cost=10)
_ROLES_PROVEN = _proven(Action.CHANGE_ROLES)


@strawberry.type
class BackOfficeMutations:
    admin_reveal_user: AdminRevealUserPayload = resolved_by(
        back_office.reveal_user,
        takes=AdminRevealUserInput,
        payload=True,
        policy=_proven(Action.REVEAL_PERSONAL_DATA),
        description="Show somebody's personal data in clear. Needs a reason and a step-up.",
    )
    admin_freeze_user: AdminFreezeUserPayload = resolved_by(
        back_office.freeze_user,
        takes=AdminFreezeUserInput,
        payload=True,
        policy=_PEOPLE,
        description="Freeze somebody's account: every session ends at once.",
    )
    admin_unfreeze_user: AdminUnfreezeUserPayload = resolved_by(
        back_office.unfreeze_user,
        takes=AdminUnfreezeUserInput,
        payload=True,
        policy=_proven(Action.UNFREEZE_ACCOUNTS),
        description="Let somebody sign in again. Needs a step-up.",
    )
    admin_end_sessions: AdminEndSessionsPayload = resolved_by(
        back_office.end_sessions,
        takes=AdminEndSessionsInput,
        payload=True,
        policy=_PEOPLE,
        description="End all of somebody's sessions; they may sign in again.",
    )
    admin_add_note: AdminAddNotePayload = resolved_by(
        back_office.add_note,
        takes=AdminAddNoteInput,
        payload=True,
        policy=_PEOPLE,
        description="Write something about somebody, for staff.",
    )
    admin_grant_role: AdminGrantRolePayload = resolved_by(
        back_office.grant_role,
        takes=AdminGrantRoleInput,
        payload=True,
        policy=_ROLES_PROVEN,
        description="Give somebody a role, never oneself. Needs a step-up.",
    )
    admin_withdraw_role: AdminWithdrawRolePayload = resolved_by(
        back_office.withdraw_role,
        takes=AdminWithdrawRoleInput,
        payload=True,
        policy=_ROLES,
        description="Take a role away from somebody, never from oneself.",
    )
    admin_propose_administrator: AdminProposeAdministratorPayload = resolved_by(
        back_office.propose_administrator,
        takes=AdminProposeAdministratorInput,
        payload=True,
        policy=_ROLES_PROVEN,
        description="Wish somebody in or out of the administrators. Needs a step-up.",
    )
    admin_decide_proposal: AdminDecideProposalPayload = resolved_by(
        back_office.decide_proposal,
        takes=AdminDecideProposalInput,
        payload=True,
        policy=_ROLES_PROVEN,
        description="Agree to or refuse what another administrator proposed. Needs a step-up.",
    )
