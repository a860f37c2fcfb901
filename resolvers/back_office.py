"""Fields for staff. What is personal is masked here, before any type shows it."""

from collections.abc import Sequence

from strawberry import Parent

from domain.kernel.errors import (
    AlreadyDecided,
    BadInput,
    Forbidden,
    NeedsSecondPerson,
    NotFound,
)
from domain.kernel.ids import UserId
from domain.kernel.page import DEFAULT_PAGE_SIZE, Page
from domain.kernel.viewer import Viewer
from domain.users.commands import AboutAccount, AdministratorWish, Decision, RoleChange
from domain.users.errors import OwnRoles
from domain.users.masking import masked_email, masked_profile
from domain.users.model import (
    Activity,
    Profile,
    Revealed,
    RoleProposal,
    Session,
    StaffNote,
    User,
)
from domain.users.ports import ActivityQuery, UserQuery
from resolvers.context import Info
from resolvers.market import After, First


async def admin(info: Info) -> Viewer:
    return info.context.viewer


async def users(
    info: Info,
    filter: UserQuery | None = None,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[User] | BadInput:
    return await info.context.users.back_office.find(
        info.context.viewer, filter or UserQuery(), first=first, after=after
    )


async def user(info: Info, id: UserId) -> User | NotFound:
    return await info.context.users.back_office.user(info.context.viewer, id)


async def audit_log(
    info: Info,
    filter: ActivityQuery | None = None,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
) -> Page[Activity] | BadInput:
    return await info.context.users.audit.search(
        info.context.viewer, filter or ActivityQuery(), first=first, after=after
    )


async def audit_csv(info: Info, filter: ActivityQuery | None = None) -> str | BadInput:
    return await info.context.users.audit.as_csv(info.context.viewer, filter or ActivityQuery())


async def open_proposals(info: Info) -> Sequence[RoleProposal]:
    return await info.context.users.roles.open_proposals(info.context.viewer)


async def masked_email_of_user(user: Parent[User]) -> str | None:
    return masked_email(user.email)


async def uid_of_user(user: Parent[User]) -> str:
    return user.identity.uid


async def masked_profile_of_user(user: Parent[User], info: Info) -> Profile | None:
    found = await info.context.loaders.profile.load(user.id)
    return None if found is None else masked_profile(found)


async def sessions_of_user(user: Parent[User], info: Info) -> Sequence[Session]:
    return await info.context.users.back_office.sessions(info.context.viewer, user.id)


async def notes_of_user(user: Parent[User], info: Info) -> Sequence[StaffNote]:
    return await info.context.users.back_office.notes(info.context.viewer, user.id)


async def email_of_revealed(revealed: Parent[Revealed]) -> str | None:
    return revealed.user.email


async def reveal_user(info: Info, command: AboutAccount) -> Revealed | NotFound | BadInput:
    return await info.context.users.back_office.reveal(
        info.context.viewer, command.user_id, command.text
    )


async def freeze_user(info: Info, command: AboutAccount) -> User | NotFound | Forbidden | BadInput:
    return await info.context.users.back_office.freeze(
        info.context.viewer, command.user_id, command.text
    )


async def unfreeze_user(
    info: Info, command: AboutAccount
) -> User | NotFound | Forbidden | BadInput:
    return await info.context.users.back_office.unfreeze(
        info.context.viewer, command.user_id, command.text
    )


async def end_sessions(
    info: Info, command: AboutAccount
) -> Sequence[Session] | NotFound | BadInput:
    return await info.context.users.back_office.end_sessions(
        info.context.viewer, command.user_id, command.text
    )


async def add_note(info: Info, command: AboutAccount) -> StaffNote | NotFound | BadInput:
    return await info.context.users.back_office.add_note(
        info.context.viewer, command.user_id, command.text
    )


async def grant_role(info: Info, command: RoleChange) -> User | NotFound | OwnRoles | BadInput:
    return await info.context.users.roles.grant(info.context.viewer, command.user_id, command.role)


async def withdraw_role(info: Info, command: RoleChange) -> User | NotFound | OwnRoles | BadInput:
    return await info.context.users.roles.withdraw(
        info.context.viewer, command.user_id, command.role
    )


async def propose_administrator(
    info: Info, command: AdministratorWish
) -> RoleProposal | NotFound | OwnRoles | BadInput:
    return await info.context.users.roles.propose_admin(
        info.context.viewer, command.user_id, grant=command.grant
    )


async def decide_proposal(
    info: Info, command: Decision
) -> RoleProposal | NotFound | NeedsSecondPerson | AlreadyDecided | OwnRoles | BadInput:
    return await info.context.users.roles.decide_admin(
        info.context.viewer, command.proposal_id, approve=command.approve
    )
