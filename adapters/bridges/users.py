"""What the users domain asks of wallets, trading and KYC.

Wallets answer. In a sandbox nobody has a position that an erasure could destroy, and no legal
identity was submitted. In production nobody may assume so until trading and KYC are there to
answer: whoever asks is told to try again later.
"""

from collections.abc import Sequence

from domain.kernel.failures import Unavailable
from domain.kernel.ids import UserId
from domain.wallets.ports import Books


class SandboxErasureHolds:
    """Implements domain.users.ports.ErasureHolds: what is in a wallet holds an account back."""

    def __init__(self, books: Books) -> None:
        self._books = books

    async def reasons(self, user_id: UserId) -> Sequence[str]:
        """Raises Unavailable, TimedOut."""
        balances = (await self._books.balances([user_id])).get(user_id, ())
        return ("BALANCES",) if any(each.available or each.held for each in balances) else ()


class SandboxLegalIdentities:
    """Implements domain.users.ports.LegalIdentities: KYC holds nobody's."""

    async def locked(self, user_id: UserId) -> bool:
        del user_id
        return False


class UnansweredErasureHolds:
    """Implements domain.users.ports.ErasureHolds where the answer must not be made up."""

    async def reasons(self, user_id: UserId) -> Sequence[str]:
        """Raises Unavailable."""
        del user_id
        raise Unavailable("wallet service")


class UnansweredLegalIdentities:
    """Implements domain.users.ports.LegalIdentities where the answer must not be made up."""

    async def locked(self, user_id: UserId) -> bool:
        """Raises Unavailable."""
        del user_id
        raise Unavailable("verification service")
