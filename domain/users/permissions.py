"""May I? Answered with the very refusals the real thing would give, and what would mend them."""

from collections.abc import Mapping, Sequence
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
# Support helps people without seeing what they have: its screens are the ones most often seen by
# somebody over a shoulder.
MONEY_STAFF = frozenset({Role.COMPLIANCE, Role.TREASURY, Role.ADMIN})


class Action(StrEnum):
    """What somebody may ask about. Each service adds its own."""

    UPDATE_PROFILE = "UPDATE_PROFILE"
    UPDATE_LEGAL_IDENTITY = "UPDATE_LEGAL_IDENTITY"
    REVOKE_SESSION = "REVOKE_SESSION"
    FREEZE_ACCOUNT = "FREEZE_ACCOUNT"
    EXPORT_DATA = "EXPORT_DATA"
    ERASE_ACCOUNT = "ERASE_ACCOUNT"
    TRANSFER_FUNDS = "TRANSFER_FUNDS"
    REQUEST_STATEMENT = "REQUEST_STATEMENT"
    USE_BACK_OFFICE = "USE_BACK_OFFICE"
    HELP_PEOPLE = "HELP_PEOPLE"
    READ_AUDIT_LOG = "READ_AUDIT_LOG"
    REVEAL_PERSONAL_DATA = "REVEAL_PERSONAL_DATA"
    UNFREEZE_ACCOUNTS = "UNFREEZE_ACCOUNTS"
    CHANGE_ROLES = "CHANGE_ROLES"
    READ_LEDGER = "READ_LEDGER"
    FREEZE_WALLETS = "FREEZE_WALLETS"
    UNFREEZE_WALLETS = "UNFREEZE_WALLETS"
    CORRECT_LEDGER = "CORRECT_LEDGER"


# What gives power, shows what is hidden or cannot be undone asks for proof that it is still them.
# What takes access away never does: somebody who was robbed of a phone has to be quick.
STEP_UP: Mapping[Action, StepUp] = {
    Action.EXPORT_DATA: StepUp(),
    Action.ERASE_ACCOUNT: StepUp(),
    Action.REVEAL_PERSONAL_DATA: StepUp(),
    Action.UNFREEZE_ACCOUNTS: StepUp(),
    Action.CHANGE_ROLES: StepUp(),
    Action.UNFREEZE_WALLETS: StepUp(),
    Action.CORRECT_LEDGER: StepUp(),
}

# Which of staff may do what; the policies of the schema's fields are made of these.
ROLES_FOR: Mapping[Action, frozenset[Role]] = {
    Action.USE_BACK_OFFICE: STAFF,
    Action.HELP_PEOPLE: frozenset({Role.SUPPORT, Role.COMPLIANCE, Role.ADMIN}),
    Action.UNFREEZE_ACCOUNTS: frozenset({Role.SUPPORT, Role.COMPLIANCE, Role.ADMIN}),
    Action.READ_AUDIT_LOG: frozenset({Role.COMPLIANCE, Role.ADMIN}),
    Action.REVEAL_PERSONAL_DATA: frozenset({Role.COMPLIANCE, Role.ADMIN}),
    Action.CHANGE_ROLES: frozenset({Role.ADMIN}),
    Action.READ_LEDGER: MONEY_STAFF,
    Action.FREEZE_WALLETS: MONEY_STAFF,
    Action.UNFREEZE_WALLETS: MONEY_STAFF,
    Action.CORRECT_LEDGER: frozenset({Role.TREASURY, Role.ADMIN}),
}


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

    async def check(self, viewer: Viewer, action: Action) -> Permission:
        """Spends and writes nothing."""
        roles = ROLES_FOR.get(action)
        if roles is not None and roles.isdisjoint(viewer.roles):
            return Permission(action, [Obstacle(Forbidden(), "Mutation.adminGrantRole")])
        obstacles: list[Obstacle] = []
        if action is Action.UPDATE_LEGAL_IDENTITY and await self._legal.locked(owner_of(viewer)):
            obstacles.append(Obstacle(LegalIdentityLocked("legalName"), None))
        if action is Action.ERASE_ACCOUNT and (
            reasons := await self._holds.reasons(owner_of(viewer))
        ):
            obstacles.append(Obstacle(CannotErase(tuple(reasons)), None))
        wanted = STEP_UP.get(action)
        if wanted is not None:
            obstacles += await self._about_step_up(viewer, wanted)
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
