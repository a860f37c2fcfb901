"""Staff's side: finding people, seeing no more than needed, ending access, notes.

Everything here is written to the log, looking at a person included. Roles have a file of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput, Forbidden, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.kernel.viewer import Role, Viewer
from domain.users.acts import log_act
from domain.users.caller import owner_of
from domain.users.freezing import freeze_account, revoke_tokens, unfreeze_account
from domain.users.model import (
    FrozenBy,
    NoteId,
    Revealed,
    Session,
    SessionEnd,
    StaffNote,
    User,
    UserState,
)
from domain.users.ports import AccessSignals, Accounts, IdentityProvider, UserQuery, Work, Works
from domain.users.refusals import noted
from domain.users.sessions import SHOWN_MAX, end_all_sessions

TEXT_LENGTH_MAX = 2000
_LIST = "users"
# Whoever keeps the doors must not be shut out by whom they let in.
_OVER_ADMINISTRATORS = frozenset({Role.COMPLIANCE, Role.ADMIN})


class BackOffice:
    """What support and compliance do with other people's accounts."""

    def __init__(
        self,
        *,
        works: Works,
        accounts: Accounts,
        identities: IdentityProvider,
        signals: AccessSignals,
        cursors: CursorSigner,
        clock: Clock,
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._identities = identities
        self._signals = signals
        self._cursors = cursors
        self._clock = clock

    async def find(
        self, viewer: Viewer, query: UserQuery, *, first: int, after: str | None
    ) -> Page[User] | BadInput:
        """Accounts by id, uid, whole e-mail or role, oldest first; shown masked."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        position = None if after is None else self._cursors.open(_LIST, after)
        if isinstance(position, BadInput):
            return position
        found = await self._accounts.find(query, first=size + 1, after=position)
        by = [name for name in ("user_id", "uid", "email", "role") if getattr(query, name)]
        details = {"by": " ".join(by), "found": str(len(found[:size]))}
        async with self._works.begin() as work:
            # Also of a search that finds nobody: who tries addresses leaves a trace.
            self._log(work, viewer, owner_of(viewer), "users.searched", details)
            for user in found[:size]:
                self._log(work, viewer, user.id, "user.viewed")
        edges = [Edge(user, self._cursors.sign(_LIST, str(user.id))) for user in found[:size]]
        return page_of(edges, after=after, more=len(found) > size)

    async def user(self, viewer: Viewer, user_id: UserId) -> User | NotFound:
        found = await self._accounts.user(user_id)
        async with self._works.begin() as work:
            if found is None:
                refused = NotFound("account", "id")
                return noted(work, viewer, user_id, "user.viewed", refused, clock=self._clock)
            self._log(work, viewer, user_id, "user.viewed")
        return found

    async def reveal(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> Revealed | NotFound | BadInput:
        """An account unmasked, for a written reason that its log shows."""
        problem = text_problem(reason, "reason")
        if problem is not None:
            return problem
        found = await self._accounts.user(user_id)
        profiles = await self._accounts.profiles([user_id])
        async with self._works.begin() as work:
            if found is None:
                refused = NotFound("account", "userId")
                return noted(work, viewer, user_id, "user.revealed", refused, clock=self._clock)
            self._log(work, viewer, user_id, "user.revealed", {"reason": reason})
        return Revealed(found, profiles[user_id])

    async def sessions(self, viewer: Viewer, user_id: UserId) -> Sequence[Session]:
        async with self._works.begin() as work:
            self._log(work, viewer, user_id, "sessions.viewed")
        return await self._accounts.sessions(user_id, active_only=True, first=SHOWN_MAX)

    async def freeze(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> User | NotFound | Forbidden | BadInput:
        """An administrator's account only by compliance and other administrators."""
        problem = text_problem(reason, "reason")
        if problem is not None:
            return problem
        async with self._works.begin() as work:
            user = _reachable(await work.users.locked(user_id), by=viewer)
            if not isinstance(user, User):
                return noted(work, viewer, user_id, "user.frozen", user, clock=self._clock)
            user = await freeze_account(
                work, user, by=FrozenBy.STAFF, reason=reason, clock=self._clock
            )
            self._log(work, viewer, user_id, "user.frozen", {"reason": reason})
        await self._signals.ended(user_id, None)
        await revoke_tokens(self._identities, user)
        return user

    async def unfreeze(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> User | NotFound | Forbidden | BadInput:
        """An administrator's account only by who may freeze it."""
        problem = text_problem(reason, "reason")
        if problem is not None:
            return problem
        async with self._works.begin() as work:
            user = _reachable(await work.users.locked(user_id), by=viewer)
            if not isinstance(user, User):
                return noted(work, viewer, user_id, "user.unfrozen", user, clock=self._clock)
            user = await unfreeze_account(work, user)
            self._log(work, viewer, user_id, "user.unfrozen", {"reason": reason})
        return user

    async def end_sessions(
        self, viewer: Viewer, user_id: UserId, reason: str
    ) -> Sequence[Session] | NotFound | BadInput:
        """End all of somebody's sessions; returns those that were alive."""
        problem = text_problem(reason, "reason")
        if problem is not None:
            return problem
        async with self._works.begin() as work:
            user = _living(await work.users.locked(user_id))
            if not isinstance(user, User):
                return noted(work, viewer, user_id, "sessions.ended", user, clock=self._clock)
            await work.users.save(replace(user, signed_out_at=self._clock.now()))
            by = SessionEnd.REVOKED_BY_STAFF
            ended = await end_all_sessions(work, user_id, by, clock=self._clock)
            found = await work.sessions.of_user(user_id, active_only=False)
            details = {"count": str(len(ended)), "reason": reason}
            self._log(work, viewer, user_id, "sessions.ended", details)
        await self._signals.ended(user_id, ended)
        await revoke_tokens(self._identities, user)
        return [session for session in found if session.id in ended]

    async def add_note(
        self, viewer: Viewer, user_id: UserId, text: str
    ) -> StaffNote | NotFound | BadInput:
        problem = text_problem(text, "text")
        if problem is not None:
            return problem
        async with self._works.begin() as work:
            user = _living(await work.users.locked(user_id))
            if not isinstance(user, User):
                return noted(work, viewer, user_id, "note.added", user, clock=self._clock)
            note = StaffNote(
                NoteId(new_uuid7()), user_id, owner_of(viewer), text, self._clock.now()
            )
            await work.desk.add_note(note)
            self._log(work, viewer, user_id, "note.added")
        return note

    async def notes(self, viewer: Viewer, user_id: UserId) -> Sequence[StaffNote]:
        async with self._works.begin() as work:
            self._log(work, viewer, user_id, "notes.viewed")
        return await self._accounts.notes(user_id)

    def _log(
        self,
        work: Work,
        viewer: Viewer,
        subject: UserId,
        action: str,
        details: Mapping[str, str] | None = None,
    ) -> None:
        log_act(work, viewer, action, now=self._clock.now(), subject=subject, details=details)


def _living(user: User | None) -> User | NotFound:
    if user is None or user.state is UserState.ERASED:
        return NotFound("account", "userId")
    return user


def _reachable(user: User | None, *, by: Viewer) -> User | NotFound | Forbidden:
    """The account, when it is one that such staff may shut and open."""
    found = _living(user)
    if isinstance(found, NotFound) or Role.ADMIN not in found.roles:
        return found
    return Forbidden() if _OVER_ADMINISTRATORS.isdisjoint(by.roles) else found


def text_problem(text: str, argument: str) -> BadInput | None:
    """Why a text of staff's cannot be kept; nothing when it can."""
    if text.strip() and len(text) <= TEXT_LENGTH_MAX:
        return None
    return BadInput(argument, f"write 1 to {TEXT_LENGTH_MAX} characters.")
