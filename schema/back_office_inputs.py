"""What staff sends, and how it becomes a command of the domain."""

import strawberry

import schema.user_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.kernel.viewer import Role
from domain.users.commands import AboutAccount, AdministratorWish, Decision, RoleChange
from domain.users.model import ProposalId
from schema._ids import decode_id


def _user_id(text: str) -> UserId | BadInput:
    found = decode_id(text, "User", argument="userId")
    return found if isinstance(found, BadInput) else UserId(found)


def _about(user_id: str, text: str) -> AboutAccount | BadInput:
    found = _user_id(user_id)
    return found if isinstance(found, BadInput) else AboutAccount(found, text)


def _change(user_id: str, role: Role) -> RoleChange | BadInput:
    found = _user_id(user_id)
    return found if isinstance(found, BadInput) else RoleChange(found, role)


@strawberry.input(description="Whose data to show in clear.")
class AdminRevealUserInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters; their log shows it.")

    def to_command(self) -> AboutAccount | BadInput:
        return _about(self.user_id, self.reason)


@strawberry.input(description="Whom to freeze.")
class AdminFreezeUserInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")

    def to_command(self) -> AboutAccount | BadInput:
        return _about(self.user_id, self.reason)


@strawberry.input(description="Whom to unfreeze.")
class AdminUnfreezeUserInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")

    def to_command(self) -> AboutAccount | BadInput:
        return _about(self.user_id, self.reason)


@strawberry.input(description="Whose sessions to end.")
class AdminEndSessionsInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User.")
    reason: str = strawberry.field(description="Why, 1 to 2000 characters.")

    def to_command(self) -> AboutAccount | BadInput:
        return _about(self.user_id, self.reason)


@strawberry.input(description="What to write about whom.")
class AdminAddNoteInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User.")
    text: str = strawberry.field(description="1 to 2000 characters.")

    def to_command(self) -> AboutAccount | BadInput:
        return _about(self.user_id, self.text)


@strawberry.input(description="Who gets which role.")
class AdminGrantRoleInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User, not one's own.")
    role: Role = strawberry.field(description="Any but ADMIN, which is proposed, and USER.")

    def to_command(self) -> RoleChange | BadInput:
        return _change(self.user_id, self.role)


@strawberry.input(description="Who loses which role.")
class AdminWithdrawRoleInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User, not one's own.")
    role: Role = strawberry.field(description="Any but ADMIN, which is proposed, and USER.")

    def to_command(self) -> RoleChange | BadInput:
        return _change(self.user_id, self.role)


@strawberry.input(description="Whom to have among the administrators, or not any more.")
class AdminProposeAdministratorInput:
    user_id: strawberry.ID = strawberry.field(description="Of a User, not one's own.")
    grant: bool = strawberry.field(description="False: to take it away.")

    def to_command(self) -> AdministratorWish | BadInput:
        found = _user_id(self.user_id)
        return found if isinstance(found, BadInput) else AdministratorWish(found, self.grant)


@strawberry.input(description="What to say to a proposal of somebody else.")
class AdminDecideProposalInput:
    proposal_id: strawberry.ID = strawberry.field(description="Of a RoleProposal.")
    approve: bool = strawberry.field(description="False: refuse it.")

    def to_command(self) -> Decision | BadInput:
        found = decode_id(self.proposal_id, "RoleProposal", argument="proposalId")
        return found if isinstance(found, BadInput) else Decision(ProposalId(found), self.approve)
