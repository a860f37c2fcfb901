"""Erasing accounts whose grace is over: the key is destroyed, and with it all personal data.

What the law wants kept is kept: the account's row without a name, the log's actions, the ledger.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.kernel.viewer import Role
from domain.users import events
from domain.users.model import ActivityResult, SessionEnd, User, UserState
from domain.users.ports import AccessSignals, Accounts, ErasureHolds, IdentityProvider, Works
from domain.users.sessions import end_all_sessions

BATCH = 50


class Erasure:
    """Run by a worker, again and again: every step may have happened before."""

    def __init__(
        self,
        *,
        works: Works,
        accounts: Accounts,
        identities: IdentityProvider,
        signals: AccessSignals,
        holds: ErasureHolds,
        clock: Clock,
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._identities = identities
        self._signals = signals
        self._holds = holds
        self._clock = clock

    async def erase_due(self) -> Sequence[UserId]:
        """Erase who is due and holds nothing; returns who was.

        One who cannot be erased, now or for years, holds up nobody else. Raises Unavailable,
        TimedOut when the database is away.
        """
        erased: list[UserId] = []
        last: UserId | None = None
        while True:
            due = await self._accounts.due_for_erasure(
                now=self._clock.now(), first=BATCH, after=last
            )
            for user_id in due:
                with suppress(Failure):
                    if await self._erase(user_id):
                        erased.append(user_id)
                last = user_id
            if len(due) < BATCH:
                return erased

    async def _erase(self, user_id: UserId) -> bool:
        if await self._holds.reasons(user_id):
            return False
        user = await self._accounts.user(user_id)
        if user is None or not _is_due(user, self._clock.now()):
            return False
        # Firebase first: should we stop in between, the account can still be found and erased.
        await self._identities.delete(user.identity)
        async with self._works.begin() as work:
            locked = await work.users.locked(user_id)
            now = self._clock.now()
            if locked is None or not _is_due(locked, now):
                return False
            for role in locked.roles - {Role.USER}:
                await work.desk.withdraw(user_id, role)
            await end_all_sessions(work, user_id, SessionEnd.ACCOUNT_ERASED, clock=self._clock)
            await work.users.save(
                replace(
                    locked,
                    state=UserState.ERASED,
                    erase_after=None,
                    email=None,
                    email_verified=False,
                )
            )
            await work.users.shred(user_id)
            work.events.append(events.account_erased(user_id))
            work.activity.add(
                actor_id=None,
                subject_id=user_id,
                action="user.erased",
                result=ActivityResult.SUCCEEDED,
                now=now,
            )
        await self._signals.ended(user_id, None)
        return True


def _is_due(user: User, now: datetime) -> bool:
    return user.erase_after is not None and user.erase_after <= now
