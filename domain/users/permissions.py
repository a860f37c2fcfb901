"""May I? Answered with the very refusals the real thing would give, and what would mend them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from domain.kernel.errors import Forbidden, UserError
from domain.kernel.policy import StepUp
from domain.kernel.viewer import Role, Viewer
from domain.users.caller import owner_of, sign_in_of
from domain.users.errors import CannotErase, EmailNotVerified, LegalIdentityLocked
from domain.users.ports import ErasureHolds, LegalIdentities
from domain.users.step_up import StepUpCheck

STAFF = frozenset({Role.SUPPORT, Role.COMPLIANCE, Role.TREASURY, Role.ADMIN})


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

    def __init__(
        self, *, step_up: StepUpCheck, holds: ErasureHolds, legal: LegalIdentities
    ) -> None:
        self._step_up = step_up
        self._holds = holds
        self._legal = legal

    async def check(
        self, viewer: Viewer, action: Action, *, step_up: StepUp | None = None
    ) -> Permission:
        """``step_up``: what the real operation's policy asks for. Spends and writes nothing."""
        obstacles: list[Obstacle] = []
        if action is Action.UPDATE_LEGAL_IDENTITY and await self._legal.locked(owner_of(viewer)):
            obstacles.append(Obstacle(LegalIdentityLocked("legalName"), None))
        if action is Action.USE_BACK_OFFICE and STAFF.isdisjoint(viewer.roles):
            obstacles.append(Obstacle(Forbidden(), "Mutation.adminGrantRole"))
        if action is Action.ERASE_ACCOUNT and (
            reasons := await self._holds.reasons(owner_of(viewer))
        ):
            obstacles.append(Obstacle(CannotErase(tuple(reasons)), None))
        if step_up is not None:
            obstacles += await self._about_step_up(viewer, step_up)
        return Permission(action, obstacles)

    async def _about_step_up(self, viewer: Viewer, wanted: StepUp) -> Sequence[Obstacle]:
        refused = await self._step_up.obstacle(viewer, wanted)
        if refused is None:
            return []
        found = [Obstacle(refused, "Firebase: sign in again with the second factor")]
        if not sign_in_of(viewer).email_verified:
            # A second factor can only be enrolled once the address is known to be theirs.
            found.append(Obstacle(EmailNotVerified(), "Firebase: verify e-mail"))
        return found
