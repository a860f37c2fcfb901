"""Step-up: proof, fresh and by a second factor, that it is still the owner who is there."""

from domain.kernel.clock import Clock
from domain.kernel.policy import StepUp
from domain.kernel.viewer import Viewer
from domain.users.errors import AccountFrozen, SessionEnded, StepUpRequired
from domain.users.ports import Accounts, IdentityProvider, StepUpGrants

COOL_DOWN_HOURS = 24


class StepUpCheck:
    """Asked by the guard in front of every field whose policy wants a step-up."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        identities: IdentityProvider,
        grants: StepUpGrants,
        clock: Clock,
    ) -> None: ...

    async def refusal(
        self, viewer: Viewer, wanted: StepUp, operation: str
    ) -> StepUpRequired | SessionEnded | AccountFrozen | None:
        """Why not, or nothing: then the sign-in is spent on ``operation`` (name and input digest).

        Asks Firebase itself: not revoked, not disabled, the factor still enrolled and older than
        the cool-down, so that a stolen token cannot enrol its own. Raises Unavailable, TimedOut:
        who cannot be asked has not agreed.
        """
        raise NotImplementedError
