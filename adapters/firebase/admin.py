"""Firebase's administration through firebase-admin: look-up, disable, revoke, delete.

The library blocks, so it lives in threads of its own, few and bounded: six hung calls would
otherwise stop everything that uses threads.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from adapters.resilience import CircuitBreaker, deadline
from domain.kernel.failures import Unavailable
from domain.users.model import Identity
from domain.users.ports import FirebaseAccount

if TYPE_CHECKING:
    from adapters.firebase.sdk import Sdk

T = TypeVar("T")

WHAT = "identity service"
BREAKER = "identity"
THREADS = 4
# What waits for a thread longer than its deadline is given up: more than this need not queue.
_QUEUE_MAX = 64
_RETRY_AFTER_SECONDS = 2.0


class FirebaseAdmin:
    """Implements domain.users.ports.IdentityProvider."""

    def __init__(
        self,
        *,
        project: str,
        tenant: str = "",
        service_account: str | None,
        breaker: CircuitBreaker,
        timeout_seconds: float = 5.0,
    ) -> None:
        """``service_account``: its JSON; None for the sandbox's service, which asks for no key."""
        self._project = project
        self._tenant = tenant
        self._service_account = service_account
        self._breaker = breaker
        self._timeout_seconds = timeout_seconds
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="firebase-admin")
        self._opening = threading.Lock()
        self._sdk: Sdk | None = None
        self._waiting = 0

    async def account(self, identity: Identity) -> FirebaseAccount | None:
        """What Firebase says right now. Raises Unavailable, TimedOut, Rejected."""

        def ask(client: Any) -> FirebaseAccount:  # noqa: ANN401  # firebase-admin's, without types
            from adapters.firebase.sdk import account_of  # noqa: PLC0415  # in its thread

            return account_of(client.get_user(identity.uid))

        return await self._call(ask)

    async def revoke_tokens(self, identity: Identity) -> None:
        """Nobody there any more is fine. Raises as above."""
        await self._call(lambda client: client.revoke_refresh_tokens(identity.uid))

    async def disable(self, identity: Identity, *, disabled: bool) -> None:
        """Raises as above."""
        await self._call(lambda client: client.update_user(identity.uid, disabled=disabled))

    async def delete(self, identity: Identity) -> None:
        """Nobody there any more is fine. Raises as above."""
        await self._call(lambda client: client.delete_user(identity.uid))

    async def set_claims(self, identity: Identity, claims: dict[str, object] | None) -> None:
        """Hints for clients, under ``okd``; nothing of ours believes them. Raises as above."""
        wanted = None if claims is None else {"okd": claims}
        await self._call(lambda client: client.set_custom_user_claims(identity.uid, wanted))

    async def aclose(self) -> None:
        """Let go; a call that hangs is left to its own timeout."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._sdk is not None:
            self._sdk.close()

    async def _call(self, ask: Callable[[Any], T]) -> T | None:
        if self._waiting >= _QUEUE_MAX:
            raise Unavailable(WHAT, retry_after_seconds=_RETRY_AFTER_SECONDS)
        self._waiting += 1
        try:
            # The breaker outside: of a call that was cut off it has to learn.
            async with self._breaker.guard(), deadline(WHAT, self._timeout_seconds):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._ask, ask
                )
        finally:
            self._waiting -= 1

    def _ask(self, ask: Callable[[Any], T]) -> T | None:
        from adapters.firebase.sdk import translated  # noqa: PLC0415  # costs most of a second

        return translated(lambda: ask(self._opened().client))

    def _opened(self) -> "Sdk":
        from adapters.firebase.sdk import Sdk  # noqa: PLC0415  # in its thread

        with self._opening:
            if self._sdk is None:
                self._sdk = Sdk(
                    project=self._project,
                    tenant=self._tenant,
                    service_account=self._service_account,
                    timeout_seconds=self._timeout_seconds,
                )
            return self._sdk
