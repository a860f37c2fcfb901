"""May I? Answered with the very refusals the real thing would give, and what would mend them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.kernel.errors import UserError
from domain.kernel.viewer import Viewer


class Action(StrEnum):
    """What somebody may ask about. Each service adds its own."""

    UPDATE_PROFILE = "UPDATE_PROFILE"
    UPDATE_LEGAL_IDENTITY = "UPDATE_LEGAL_IDENTITY"
    REVOKE_SESSION = "REVOKE_SESSION"
    FREEZE_ACCOUNT = "FREEZE_ACCOUNT"
    EXPORT_DATA = "EXPORT_DATA"
    ERASE_ACCOUNT = "ERASE_ACCOUNT"
    USE_BACK_OFFICE = "USE_BACK_OFFICE"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One reason why not."""

    error: UserError
    unblocked_by: str | None
    """What helps: an operation (``Mutation.x``) or a place (``Firebase: verify e-mail``)."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether the caller may do something right now."""

    action: Action
    obstacles: Sequence[Obstacle]

    @property
    def allowed(self) -> bool:
        return not self.obstacles


class Permissions:
    """Runs the same rules as the real operations, without their effects."""

    async def check(self, viewer: Viewer, action: Action) -> Permission:
        """Spends no step-up grant and writes nothing."""
        raise NotImplementedError
