"""From a verified sign-in to a viewer: the account on first sight, the session, and who may not."""

from domain.kernel.clock import Clock
from domain.kernel.viewer import Viewer
from domain.users.errors import AccountErased, AccountFrozen, SessionEnded
from domain.users.model import Client, SignIn
from domain.users.ports import Accounts, Works


class Authentication:
    """Decides who is calling."""

    def __init__(self, *, works: Works, accounts: Accounts, clock: Clock) -> None: ...

    async def viewer(
        self, sign_in: SignIn, client: Client
    ) -> Viewer | SessionEnded | AccountFrozen | AccountErased:
        """The viewer of a token, asked for each operation: one round trip once it is known.

        First sight makes the account, its profile from the token and its session, tells
        ``user.created`` and ``session.created``, and notifies of a device never seen on an account
        that had sessions before. Raises Unavailable, TimedOut: a database that is away is never
        "signed out".
        """
        raise NotImplementedError
