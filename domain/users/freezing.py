"""Freezing and unfreezing an account, whoever asks for it."""

from contextlib import suppress
from dataclasses import replace

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure
from domain.users import events
from domain.users.model import FrozenBy, SessionEnd, User, UserState
from domain.users.ports import IdentityProvider, Work
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
    So an outage of Firebase takes nothing back and is not the caller's to mend.
    """
    with suppress(Failure):
        await identities.revoke_tokens(user.identity)


async def unfreeze_account(work: Work, user: User) -> User:
    """Make a locked, frozen user active; the sessions stay ended."""
    if user.state is not UserState.FROZEN:
        return user
    thawed = replace(user, state=UserState.ACTIVE, frozen_by=None, frozen_reason=None)
    await work.users.save(thawed)
    work.events.append(events.account_unfrozen(user.id))
    return thawed
