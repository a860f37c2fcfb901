"""What people ask for that takes more than one word to say."""

from dataclasses import dataclass, field

from domain.kernel.ids import UserId
from domain.kernel.viewer import Role
from domain.users.model import ProposalId


@dataclass(frozen=True, slots=True)
class AboutAccount:
    """Something staff does to an account, and why; or writes about it."""

    user_id: UserId
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RoleChange:
    """One role of one account."""

    user_id: UserId
    role: Role


@dataclass(frozen=True, slots=True)
class AdministratorWish:
    """Somebody in or out of the administrators."""

    user_id: UserId
    grant: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """What the second person says."""

    proposal_id: ProposalId
    approve: bool
