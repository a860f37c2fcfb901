"""What the users domain asks of wallets, trading and KYC, until those are there to answer.

In a sandbox nobody has anything that an erasure could destroy, and no legal identity was submitted.
In production nobody may assume so: whoever asks is told to try again later.
"""

from collections.abc import Sequence

from domain.kernel.failures import Unavailable
from domain.kernel.ids import UserId


class SandboxErasureHolds:
    """Implements domain.users.ports.ErasureHolds: nothing holds an account back."""

    async def reasons(self, user_id: UserId) -> Sequence[str]:
        del user_id
        return ()


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
