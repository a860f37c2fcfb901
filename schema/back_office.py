"""The back office as staff sees it: accounts masked, the log, what waits for a second person."""

from datetime import datetime
from typing import Annotated

import strawberry

import domain.kernel.viewer
import domain.users.model
import schema.user_words  # noqa: F401  # the enums must be declared before they are shown
from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.kernel.policy import Audience, FieldPolicy
from domain.kernel.viewer import Role
from domain.users import ROLES_FOR, Action
from domain.users.ports import ActivityQuery, UserQuery
from resolvers import back_office, ledger_desk, users
from schema._ids import decode_id, id_of
from schema._shared import Connection
from schema._view import resolved_by, view_of
from schema.ledger_desk import READ_LEDGER, AdminLedger
from schema.users import Detail, Profile

_ANYBODY = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.USE_BACK_OFFICE])
_PEOPLE = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.HELP_PEOPLE], cost=5)
_LOG = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.READ_AUDIT_LOG], cost=5)
_ROLES = FieldPolicy(Audience.STAFF, ROLES_FOR[Action.CHANGE_ROLES])


@view_of(domain.users.model.Session, description="One sign-in, without the address it came from.")
class AdminSession:
    id: strawberry.ID = id_of("Session")
    agent: str = strawberry.field(description="What the client says it is.")
    provider: str = strawberry.field(description="`password`, `google.com`, `apple.com` ...")
    second_factor: str | None = strawberry.field(description="`totp` or `phone` when one was used.")
    signed_in_at: datetime = strawberry.field(description="When the person proved who they are.")
    last_seen_at: datetime = strawberry.field(description="Exact to a minute.")
    ended_at: datetime | None = strawberry.field(description="Null while it lives.")
    ended_by: domain.users.model.SessionEnd | None = strawberry.field(
        description="Null while it lives."
    )


@view_of(domain.users.model.StaffNote, description="What staff wrote about an account, for staff.")
class StaffNote:
    id: strawberry.ID = id_of("StaffNote")
    author_id: strawberry.ID = id_of("User", "author_id", description="Who wrote it.")
    text: str = strawberry.field(description="1 to 2000 characters.")
    created_at: datetime = strawberry.field(description="When.")


@view_of(
    domain.users.model.User,
    description="Somebody's account, personal data masked. Looking at it is written to the log.",
)
class AdminUser:
    id: strawberry.ID = id_of("User")
    uid: str = resolved_by(back_office.uid_of_user, description="What Firebase calls them.")
    email: str | None = resolved_by(
        back_office.masked_email_of_user, description="Masked: `a***@e***.org`."
    )
    email_verified: bool = strawberry.field(description="Whether it is proven to be theirs.")
    state: domain.users.model.UserState = strawberry.field(description="What the account is.")
    frozen_by: domain.users.model.FrozenBy | None = strawberry.field(
        description="Null unless frozen."
    )
    frozen_reason: str | None = strawberry.field(description="What staff wrote; else null.")
    created_at: datetime = strawberry.field(description="Since when it is there.")
    erase_after: datetime | None = strawberry.field(
        description="When it will be erased; null unless `state` is ERASING."
    )
    roles: list[Role] = resolved_by(users.roles_of_user, description="What they may be.")
    profile: Profile | None = resolved_by(
        back_office.masked_profile_of_user,
        policy=_PEOPLE,
        description="Masked: names as initials, the end of the telephone number, no birthday.",
    )
    sessions: list[AdminSession] | None = resolved_by(
        back_office.sessions_of_user,
        policy=_PEOPLE,
        description="Living sessions, newest sign-in first; at most 100.",
    )
    notes: list[StaffNote] | None = resolved_by(
        back_office.notes_of_user, policy=_PEOPLE, description="Newest first."
    )


@view_of(
    domain.users.model.Revealed,
    description="Somebody's account in clear. The reason is in its log.",
)
class RevealedUser:
    id: strawberry.ID = id_of("User", "user.id")
    email: str | None = resolved_by(back_office.email_of_revealed, description="In clear.")
    profile: Profile = strawberry.field(description="In clear.")


@view_of(domain.users.model.Activity, description="A line of the log of everything anybody did.")
class AuditEntry:
    id: strawberry.ID = id_of("Activity")
    actor_id: strawberry.ID | None = id_of(
        "User", "actor_id", description="Who did it; null for an operator's command."
    )
    subject_id: strawberry.ID = id_of("User", "subject_id", description="To whose account.")
    action: str = strawberry.field(description="What, such as `role.granted`.")
    result: domain.users.model.ActivityResult = strawberry.field(description="How it ended.")
    at: datetime = strawberry.field(description="When.")
    agent: str | None = strawberry.field(description="By which client.")
    details: list[Detail] = resolved_by(users.details_of_activity, description="In order of name.")


@view_of(
    domain.users.model.RoleProposal,
    description="A wish to make somebody an administrator, or to end that. Another one decides.",
)
class RoleProposal:
    id: strawberry.ID = id_of("RoleProposal")
    user_id: strawberry.ID = id_of("User", "user_id", description="Whom it is about.")
    role: Role = strawberry.field(description="ADMIN.")
    grant: bool = strawberry.field(description="False: to take it away.")
    proposed_by: strawberry.ID = id_of("User", "proposed_by", description="By whom.")
    created_at: datetime = strawberry.field(description="When.")
    state: domain.users.model.ProposalState = strawberry.field(description="Where it stands.")
    decided_by: strawberry.ID | None = id_of("User", "decided_by", description="Null while open.")
    decided_at: datetime | None = strawberry.field(description="Null while open.")


@strawberry.input(description="Which accounts; every given field narrows.")
class UserFilter:
    id: strawberry.ID | None = strawberry.field(default=None, description="Of a User.")
    uid: str | None = strawberry.field(default=None, description="What Firebase calls them.")
    email: str | None = strawberry.field(
        default=None, description="The whole address; capitals do not matter."
    )
    role: Role | None = strawberry.field(default=None, description="Who has it.")

    def to_domain(self) -> UserQuery | BadInput:
        found = _user_id(self.id, "id")
        if isinstance(found, BadInput):
            return found
        return UserQuery(user_id=found, uid=self.uid, email=self.email, role=self.role)


@strawberry.input(description="Which lines of the log; every given field narrows.")
class AuditFilter:
    subject_id: strawberry.ID | None = strawberry.field(
        default=None, description="To whose account."
    )
    actor_id: strawberry.ID | None = strawberry.field(default=None, description="Who did it.")
    action: str | None = strawberry.field(default=None, description="Exactly, `role.granted`.")
    result: domain.users.model.ActivityResult | None = strawberry.field(
        default=None, description="How it ended."
    )
    since: datetime | None = strawberry.field(default=None, description="From then on.")
    until: datetime | None = strawberry.field(default=None, description="Before then.")

    def to_domain(self) -> ActivityQuery | BadInput:
        subject = _user_id(self.subject_id, "subjectId")
        actor = _user_id(self.actor_id, "actorId")
        if isinstance(subject, BadInput):
            return subject
        if isinstance(actor, BadInput):
            return actor
        return ActivityQuery(subject, actor, self.action, self.result, self.since, self.until)


_USERS = {"filter": Annotated[UserFilter | None, strawberry.argument(description="Which.")]}
_LINES = {"filter": Annotated[AuditFilter | None, strawberry.argument(description="Which.")]}


@view_of(domain.kernel.viewer.Viewer, description="What staff sees. Each field says who may.")
class Admin:
    users: Connection[AdminUser] | None = resolved_by(
        back_office.users,
        shown_as=_USERS,
        policy=_PEOPLE,
        description="Accounts, oldest first; everybody without a filter.",
    )
    user: AdminUser | None = resolved_by(
        back_office.user, ids={"id": "User"}, policy=_PEOPLE, description="One account."
    )
    audit_log: Connection[AuditEntry] | None = resolved_by(
        back_office.audit_log, shown_as=_LINES, policy=_LOG, description="Newest first."
    )
    audit_csv: str | None = resolved_by(
        back_office.audit_csv,
        shown_as=_LINES,
        policy=_LOG,
        description="The same as CSV, at most 10,000 lines; taking it is a line of the log.",
    )
    ledger: AdminLedger | None = resolved_by(
        ledger_desk.ledger, policy=READ_LEDGER, description="The books."
    )
    open_proposals: list[RoleProposal] | None = resolved_by(
        back_office.open_proposals,
        policy=_ROLES,
        description="What waits for a second administrator, oldest first.",
    )


@strawberry.type
class BackOfficeQueries:
    admin: Admin | None = resolved_by(
        back_office.admin, policy=_ANYBODY, description="The back office, for staff."
    )


def _user_id(text: str | None, argument: str) -> UserId | BadInput | None:
    if text is None:
        return None
    found = decode_id(text, "User", argument=argument)
    return found if isinstance(found, BadInput) else UserId(found)
