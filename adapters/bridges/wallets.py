"""What the wallets domain asks of users."""

from collections.abc import Mapping, Sequence

from adapters.vault import BlindIndex
from domain.kernel.ids import UserId
from domain.users.masking import initials, masked_email
from domain.users.model import UserState
from domain.users.ports import Accounts, UserQuery
from domain.wallets.model import Recipient

# A frozen account takes money: whoever sends to it must not learn that it is.
_RECEIVING = frozenset({UserState.ACTIVE, UserState.FROZEN, UserState.ERASING})
# Accounts that never verified an address may have it in any number; more than this is nobody's.
_NAMESAKES_MAX = 100


class KnownRecipients:
    """Implements domain.wallets.ports.Recipients: everybody who has an account."""

    def __init__(self, accounts: Accounts, index: BlindIndex) -> None:
        self._accounts = accounts
        self._index = index

    async def can_receive(self, user_id: UserId) -> bool:
        """Raises Unavailable, TimedOut."""
        user = await self._accounts.user(user_id)
        return user is not None and user.state in _RECEIVING

    async def of_email(self, email: str) -> UserId | None:
        """Raises Unavailable, TimedOut."""
        query = UserQuery(email=email)
        namesakes = await self._accounts.find(query, first=_NAMESAKES_MAX, after=None)
        found = [u.id for u in namesakes if u.email_verified and u.state in _RECEIVING]
        return found[0] if len(found) == 1 else None

    def mark(self, email: str) -> str:
        return self._index.of_email(email).hex()

    async def shown(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Recipient]:
        """Raises Unavailable, TimedOut."""
        users = await self._accounts.users(user_ids)
        profiles = await self._accounts.profiles(user_ids)
        names = {key: profile.display_name for key, profile in profiles.items()}
        return {
            key: Recipient(key, masked_email(user.email), initials(names.get(key)))
            for key, user in users.items()
        }
