"""Freezing and unfreezing an account, whoever asks for it; and having Firebase shut out, too."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from domain.kernel.clock import Clock
from domain.kernel.events import Event
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.users import events
from domain.users.events import user_of_stream
from domain.users.model import FrozenBy, SessionEnd, User, UserState
from domain.users.ports import Accounts, IdentityProvider, Work
from domain.users.sessions import end_all_sessions


async def freeze_account(
    work: Work, user: User, *, by: FrozenBy, reason: str | None, clock: Clock
) -> User:
    """Freeze a locked user and end every session; frozen already stays as it is."""
    if user.state in (UserState.FROZEN, UserState.ERASED):
        return user
    frozen = replace(
        user,
        state=UserState.FROZEN,
        frozen_by=by,
        frozen_reason=reason,
        erase_after=None,
        signed_out_at=clock.now(),
    )
    await work.users.save(frozen)
    work.events.append(events.account_frozen(user.id, by.value))
    await end_all_sessions(work, user.id, SessionEnd.ACCOUNT_FROZEN, clock=clock)
    return frozen


async def revoke_tokens(identities: IdentityProvider, user: User) -> None:
    """Have Firebase refuse to refresh, as a second fence.

    The first is our own row, which is committed: what Firebase still hands out begins no session.
    So an outage of Firebase takes nothing back and is not the caller's to mend: the event that was
    committed with it brings ``TokenRevocation`` to it until it is done.
    """
    with suppress(Failure):
        await identities.revoke_tokens(user.identity)


class TokenRevocation:
    """The consumer that makes up for what Firebase was not there to hear. Run by a worker."""

    name = "firebase"

    def __init__(self, accounts: Accounts, identities: IdentityProvider) -> None:
        self._accounts = accounts
        self._identities = identities

    async def consume(self, events: Sequence[Event]) -> None:
        """Raises Unavailable, TimedOut, Rejected; the same events again change nothing."""
        for user_id in sorted({_shut_out_by(event) for event in events} - {None}, key=str):
            if user_id is not None:
                await self._revoke(user_id)

    async def _revoke(self, user_id: UserId) -> None:
        user = await self._accounts.user(user_id)
        if user is None or user.state is UserState.ERASED or user.signed_out_at is None:
            return
        account = await self._identities.account(user.identity)
        # Firebase counts in whole seconds.
        if account is None or account.valid_since >= user.signed_out_at.replace(microsecond=0):
            return
        await self._identities.revoke_tokens(user.identity)


def _shut_out_by(event: Event) -> UserId | None:
    """Whose sessions all ended by it, their refresh tokens included; leaving is not that."""
    by_staff = event.type == "session.ended" and event.body.get("by") == "REVOKED_BY_STAFF"
    return user_of_stream(event.stream) if by_staff or event.type == "user.frozen" else None


async def unfreeze_account(work: Work, user: User) -> User:
    """Make a locked, frozen user active; the sessions stay ended."""
    if user.state is not UserState.FROZEN:
        return user
    thawed = replace(user, state=UserState.ACTIVE, frozen_by=None, frozen_reason=None)
    await work.users.save(thawed)
    work.events.append(events.account_unfrozen(user.id))
    return thawed
