"""Step-up: proof, fresh and by a second factor, that it is still the owner who is there."""

from datetime import timedelta

from domain.kernel.clock import Clock
from domain.kernel.policy import StepUp
from domain.kernel.viewer import Viewer
from domain.users.caller import owner_of, sign_in_of
from domain.users.errors import AccountFrozen, SessionEnded, StepUpRequired
from domain.users.ports import Accounts, FirebaseAccount, IdentityProvider, StepUpGrants

COOL_DOWN_HOURS = 24

StepUpRefusal = StepUpRequired | SessionEnded | AccountFrozen


class StepUpCheck:
    """Asked by the guard in front of every field whose policy wants a step-up."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        identities: IdentityProvider,
        grants: StepUpGrants,
        clock: Clock,
        cool_down: timedelta = timedelta(hours=COOL_DOWN_HOURS),
    ) -> None:
        self._accounts = accounts
        self._identities = identities
        self._grants = grants
        self._clock = clock
        self._cool_down = cool_down

    async def refusal(self, viewer: Viewer, wanted: StepUp, operation: str) -> StepUpRefusal | None:
        """Why not, or nothing: then the sign-in is spent on ``operation`` (name and input digest).

        Asks Firebase itself: not revoked, not disabled, the factor still enrolled and older than
        the cool-down, so that a stolen token cannot enrol its own. Raises Unavailable, TimedOut:
        who cannot be asked has not agreed.
        """
        refused = await self.obstacle(viewer, wanted)
        if refused is not None:
            return refused
        signed_in = sign_in_of(viewer)
        spent = await self._grants.spend(owner_of(viewer), signed_in.signed_in_at, operation)
        return None if spent else await self._ask(viewer, wanted)

    async def obstacle(self, viewer: Viewer, wanted: StepUp) -> StepUpRefusal | None:
        """The same without spending anything."""
        signed_in = sign_in_of(viewer)
        age = self._clock.now() - signed_in.signed_in_at
        if signed_in.second_factor is None or age > timedelta(seconds=wanted.max_age_seconds):
            return await self._ask(viewer, wanted)
        account = await self._account(viewer)
        if account is None or account.disabled:
            return AccountFrozen()
        # Firebase counts in whole seconds: a token of the very second is revoked, too.
        if signed_in.signed_in_at <= account.valid_since:
            return SessionEnded()
        enrolled_at = account.second_factors.get(signed_in.second_factor)
        if enrolled_at is None or self._clock.now() - enrolled_at < self._cool_down:
            return StepUpRequired(wanted.max_age_seconds, self._methods(account))
        return None

    async def _ask(self, viewer: Viewer, wanted: StepUp) -> StepUpRequired:
        account = await self._account(viewer)
        methods = () if account is None else self._methods(account)
        return StepUpRequired(wanted.max_age_seconds, methods)

    async def _account(self, viewer: Viewer) -> FirebaseAccount | None:
        user = await self._accounts.user(owner_of(viewer))
        return None if user is None else await self._identities.account(user.identity)

    def _methods(self, account: FirebaseAccount) -> tuple[str, ...]:
        now = self._clock.now()
        factors = account.second_factors.items()
        return tuple(sorted(name for name, since in factors if now - since >= self._cool_down))
