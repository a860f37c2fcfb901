"""What the wallets domain asks of users."""

from domain.kernel.ids import UserId
from domain.users.model import UserState
from domain.users.ports import Accounts

# A frozen account takes money: whoever sends to it must not learn that it is.
_RECEIVING = frozenset({UserState.ACTIVE, UserState.FROZEN, UserState.ERASING})


class KnownRecipients:
    """Implements domain.wallets.ports.Recipients: everybody who has an account."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def can_receive(self, user_id: UserId) -> bool:
        """Raises Unavailable, TimedOut."""
        user = await self._accounts.user(user_id)
        return user is not None and user.state in _RECEIVING
