"""What staff's mutations answer: a success, or one of the reasons why not."""

from typing import Annotated

import strawberry

import domain.users.model
from schema._view import success_of, whole
from schema.back_office import AdminSession, AdminUser, RevealedUser, RoleProposal, StaffNote
from schema.user_errors import (
    AlreadyDecided,
    BadInput,
    NeedsSecondPerson,
    NotFound,
    OwnRoles,
    StaffRefusal,
    StepUpRefusal,
)


@success_of(domain.users.model.Revealed, description="The account is shown in clear.")
class AdminRevealUserSuccess:
    user: RevealedUser = whole(description="In clear.")


@success_of(domain.users.model.User, description="The account is frozen; no session is left.")
class AdminFreezeUserSuccess:
    user: AdminUser = whole(description="As it is now.")


@success_of(domain.users.model.User, description="The account works again.")
class AdminUnfreezeUserSuccess:
    user: AdminUser = whole(description="As it is now.")


@success_of(domain.users.model.Session, many=True, description="Nobody is signed in there now.")
class AdminEndSessionsSuccess:
    sessions: list[AdminSession] = whole(description="Those that were alive.")


@success_of(domain.users.model.StaffNote, description="The note is kept.")
class AdminAddNoteSuccess:
    note: StaffNote = whole(description="As it is kept.")


@success_of(domain.users.model.User, description="They have the role.")
class AdminGrantRoleSuccess:
    user: AdminUser = whole(description="As it is now.")


@success_of(domain.users.model.User, description="They do not have the role any more.")
class AdminWithdrawRoleSuccess:
    user: AdminUser = whole(description="As it is now.")


@success_of(domain.users.model.RoleProposal, description="Waits for another administrator.")
class AdminProposeAdministratorSuccess:
    proposal: RoleProposal = whole(description="As it is now.")


@success_of(domain.users.model.RoleProposal, description="It is decided.")
class AdminDecideProposalSuccess:
    proposal: RoleProposal = whole(description="As it is now.")


AdminRevealUserPayload = Annotated[
    AdminRevealUserSuccess | NotFound | BadInput | StepUpRefusal | StaffRefusal,
    strawberry.union("AdminRevealUserPayload", description="What became of it."),
]
AdminFreezeUserPayload = Annotated[
    AdminFreezeUserSuccess | NotFound | BadInput | StaffRefusal,
    strawberry.union("AdminFreezeUserPayload", description="What became of it."),
]
AdminUnfreezeUserPayload = Annotated[
    AdminUnfreezeUserSuccess | NotFound | BadInput | StepUpRefusal | StaffRefusal,
    strawberry.union("AdminUnfreezeUserPayload", description="What became of it."),
]
AdminEndSessionsPayload = Annotated[
    AdminEndSessionsSuccess | NotFound | BadInput | StaffRefusal,
    strawberry.union("AdminEndSessionsPayload", description="What became of it."),
]
AdminAddNotePayload = Annotated[
    AdminAddNoteSuccess | NotFound | BadInput | StaffRefusal,
    strawberry.union("AdminAddNotePayload", description="What became of it."),
]
AdminGrantRolePayload = Annotated[
    AdminGrantRoleSuccess | NotFound | OwnRoles | BadInput | StepUpRefusal | StaffRefusal,
    strawberry.union("AdminGrantRolePayload", description="What became of it."),
]
AdminWithdrawRolePayload = Annotated[
    AdminWithdrawRoleSuccess | NotFound | OwnRoles | BadInput | StaffRefusal,
    strawberry.union("AdminWithdrawRolePayload", description="What became of it."),
]
AdminProposeAdministratorPayload = Annotated[
    AdminProposeAdministratorSuccess
    | NotFound
    | OwnRoles
    | BadInput
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminProposeAdministratorPayload", description="What became of it."),
]
AdminDecideProposalPayload = Annotated[
    AdminDecideProposalSuccess
    | NotFound
    | NeedsSecondPerson
    | AlreadyDecided
    | OwnRoles
    | BadInput
    | StepUpRefusal
    | StaffRefusal,
    strawberry.union("AdminDecideProposalPayload", description="What became of it."),
]
