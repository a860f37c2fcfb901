"""Staff's side: finding people, seeing no more than needed, ending access, roles by four eyes."""

from collections.abc import Sequence

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.kernel.page import Page
from domain.kernel.viewer import Role, Viewer
from domain.users.errors import AlreadyDecided, NeedsSecondPerson, NotFound, OwnRoles
from domain.users.model import Activity, ProposalId, RoleProposal, Session, StaffNote, User
from domain.users.ports import (
    AccessSignals,
    Accounts,
    ActivityQuery,
    IdentityProvider,
    UserQuery,
    Works,
)

NOTE_LENGTH_MAX = 2000
CSV_ROWS_MAX = 10_000


class BackOffice:
    """Everything here is written to the audit log, looking at a person included."""

    def __init__(
        self,
        *,
        works: Works,
        accounts: Accounts,
        identities: IdentityProvider,
        signals: AccessSignals,
        cursors: CursorSigner,
        clock: Clock,
    ) -> None: ...

    async def find(
        self, viewer: Viewer, query: UserQuery, *, first: int, after: str | None
    ) -> Page[User] | BadInput:
        """Accounts by id, uid, whole e-mail or role; personal data is masked when shown."""
        raise NotImplementedError

    async def user(self, viewer: Viewer, user_id: UserId) -> User | NotFound:
        raise NotImplementedError

    async def reveal(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> User | NotFound | BadInput:
        """The same unmasked, for a written reason; COMPLIANCE and ADMIN only."""
        raise NotImplementedError

    async def sessions(self, viewer: Viewer, user_id: UserId) -> Sequence[Session]:
        raise NotImplementedError

    async def freeze(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> User | NotFound | BadInput:
        raise NotImplementedError

    async def unfreeze(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> User | NotFound | BadInput:
        raise NotImplementedError

    async def end_sessions(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> Sequence[Session] | NotFound | BadInput:
        raise NotImplementedError

    async def grant_role(
        self, viewer: Viewer, user_id: UserId, role: Role
    ) -> User | NotFound | OwnRoles | BadInput:
        """Any role but ADMIN, which is proposed."""
        raise NotImplementedError

    async def withdraw_role(
        self, viewer: Viewer, user_id: UserId, role: Role
    ) -> User | NotFound | OwnRoles | BadInput:
        raise NotImplementedError

    async def propose_admin(
        self, viewer: Viewer, user_id: UserId, *, grant: bool
    ) -> RoleProposal | NotFound | OwnRoles | BadInput:
        raise NotImplementedError

    async def decide_admin(
        self, viewer: Viewer, proposal_id: ProposalId, *, approve: bool
    ) -> RoleProposal | NotFound | NeedsSecondPerson | AlreadyDecided | OwnRoles:
        raise NotImplementedError

    async def open_proposals(self, viewer: Viewer) -> Sequence[RoleProposal]:
        raise NotImplementedError

    async def add_note(
        self, viewer: Viewer, user_id: UserId, text: str
    ) -> StaffNote | NotFound | BadInput:
        raise NotImplementedError

    async def notes(self, viewer: Viewer, user_id: UserId) -> Sequence[StaffNote]:
        raise NotImplementedError

    async def audit(
        self, viewer: Viewer, query: ActivityQuery, *, first: int, after: str | None
    ) -> Page[Activity] | BadInput:
        raise NotImplementedError

    async def audit_csv(self, viewer: Viewer, query: ActivityQuery) -> str | BadInput:
        """At most 10,000 rows, newest first; cells that a spreadsheet would execute are quoted."""
        raise NotImplementedError


async def make_first_admin(works: Works, user_id: UserId, *, clock: Clock) -> bool:
    """The operator's command: audited, and refused (False) once there is an administrator."""
    raise NotImplementedError
