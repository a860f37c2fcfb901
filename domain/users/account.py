"""The caller's own account: profile, settings, log, freeze, export, erasure."""

from dataclasses import replace
from datetime import timedelta

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.page import Page, page_size
from domain.kernel.viewer import Viewer
from domain.users import events
from domain.users.acts import log_act
from domain.users.caller import owner_of
from domain.users.changes import ProfileChange, SettingsChange, changed_profile, changed_settings
from domain.users.errors import CannotErase, LegalIdentityLocked
from domain.users.freezing import freeze_account, revoke_tokens
from domain.users.model import (
    Activity,
    FrozenBy,
    Profile,
    Settings,
    User,
    UserState,
)
from domain.users.own_log import as_owner_sees, log_of_owner
from domain.users.pages import page_of, position_of
from domain.users.ports import (
    AccessSignals,
    Accounts,
    ErasureHolds,
    IdentityProvider,
    LegalIdentities,
    Work,
    Works,
)

ERASURE_GRACE_DAYS = 14
_LIST = "activity"


class MyAccount:
    """What the owner of an account does with it."""

    def __init__(
        self,
        *,
        works: Works,
        accounts: Accounts,
        identities: IdentityProvider,
        signals: AccessSignals,
        holds: ErasureHolds,
        legal: LegalIdentities,
        cursors: CursorSigner,
        clock: Clock,
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._identities = identities
        self._signals = signals
        self._holds = holds
        self._legal = legal
        self._cursors = cursors
        self._clock = clock

    async def user(self, viewer: Viewer) -> User:
        found = await self._accounts.user(owner_of(viewer))
        if found is None:
            raise LookupError("the caller has no account")
        return found

    async def profile(self, viewer: Viewer) -> Profile:
        user_id = owner_of(viewer)
        profile = (await self._accounts.profiles([user_id]))[user_id]
        return replace(profile, legal_identity_locked=await self._legal.locked(user_id))

    async def update_profile(
        self, viewer: Viewer, change: ProfileChange
    ) -> Profile | LegalIdentityLocked | BadInput:
        user_id = owner_of(viewer)
        locked = await self._legal.locked(user_id)
        async with self._works.begin() as work:
            await work.users.locked(user_id)
            before = await work.users.profile(user_id)
            after = changed_profile(before, change, locked=locked, today=self._clock.now().date())
            if not isinstance(after, Profile):
                return after
            if after != before:
                await work.users.save_profile(after)
                work.events.append(events.profile_updated(user_id))
                self._log(work, viewer, "profile.updated")
        return replace(after, legal_identity_locked=locked)

    async def settings(self, viewer: Viewer) -> Settings:
        return await self._accounts.settings(owner_of(viewer))

    async def update_settings(self, viewer: Viewer, change: SettingsChange) -> Settings | BadInput:
        """SECURITY in the INBOX cannot be switched off."""
        user_id = owner_of(viewer)
        async with self._works.begin() as work:
            await work.users.locked(user_id)
            before = await work.users.settings(user_id)
            after = changed_settings(before, change)
            if isinstance(after, BadInput):
                return after
            if after != before:
                await work.users.save_settings(after)
                work.events.append(events.settings_updated(user_id))
                self._log(work, viewer, "settings.updated")
        return after

    async def activity(
        self, viewer: Viewer, *, first: int, after: str | None
    ) -> Page[Activity] | BadInput:
        """The caller's own log, newest first."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        position = position_of(self._cursors, _LIST, after)
        if isinstance(position, BadInput):
            return position
        query = log_of_owner(owner_of(viewer))
        found = await self._accounts.activity(query, first=size + 1, before=position)
        shown = [as_owner_sees(line) for line in found]
        return page_of(
            self._cursors, _LIST, shown, size, lambda line: (line.at, line.id), after=after
        )

    async def freeze(self, viewer: Viewer) -> User:
        """Freeze at once: sessions end, sockets close, Firebase's refresh tokens are revoked."""
        user_id = owner_of(viewer)
        async with self._works.begin() as work:
            user = await work.users.locked(user_id)
            if user is None:
                raise LookupError("the caller has no account")
            user = await freeze_account(
                work, user, by=FrozenBy.OWNER, reason=None, clock=self._clock
            )
            self._log(work, viewer, "user.frozen")
        await self._signals.ended(user_id, None)
        await revoke_tokens(self._identities, user)
        return user

    async def request_erasure(self, viewer: Viewer) -> User | CannotErase:
        """Erase after a grace of 14 days, in which the wish can be withdrawn."""
        user_id = owner_of(viewer)
        reasons = await self._holds.reasons(user_id)
        if reasons:
            return CannotErase(tuple(reasons))
        erase_after = self._clock.now() + timedelta(days=ERASURE_GRACE_DAYS)
        async with self._works.begin() as work:
            user = await self._locked(work, viewer)
            if user.state is UserState.ACTIVE:
                user = replace(user, state=UserState.ERASING, erase_after=erase_after)
                await work.users.save(user)
                work.events.append(events.erasure_requested(user_id, erase_after.isoformat()))
                self._log(work, viewer, "user.erasure_requested")
        return user

    async def withdraw_erasure(self, viewer: Viewer) -> User:
        """Within the grace only; afterwards nothing changes: the worker may have begun."""
        user_id = owner_of(viewer)
        now = self._clock.now()
        async with self._works.begin() as work:
            user = await self._locked(work, viewer)
            if user.state is UserState.ERASING and user.erase_after and now < user.erase_after:
                user = replace(user, state=UserState.ACTIVE, erase_after=None)
                await work.users.save(user)
                work.events.append(events.erasure_withdrawn(user_id))
                self._log(work, viewer, "user.erasure_withdrawn")
        return user

    async def _locked(self, work: Work, viewer: Viewer) -> User:
        user = await work.users.locked(owner_of(viewer))
        if user is None:
            raise LookupError("the caller has no account")
        return user

    def _log(self, work: Work, viewer: Viewer, action: str) -> None:
        log_act(work, viewer, action, now=self._clock.now())
