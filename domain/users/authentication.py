"""From a verified sign-in to a viewer: the account on first sight, the session, and who may not."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from domain.kernel.clock import Clock
from domain.kernel.viewer import SignedIn, Viewer
from domain.users import events
from domain.users.caller import owner_of, session_of, sign_in_of
from domain.users.changes import name_from_elsewhere
from domain.users.errors import AccountErased, AccountFrozen, SessionEnded
from domain.users.model import (
    ActivityResult,
    Client,
    Session,
    SessionId,
    SignIn,
    User,
    UserState,
)
from domain.users.ports import Accounts, Work, Works

Refused = SessionEnded | AccountFrozen | AccountErased

TOUCH_EVERY_SECONDS = 60
DENIED_EVERY_HOURS = 1
# Firebase signs in one client at a time; a browser's windows may still call themselves differently.
DEVICES_PER_SIGN_IN_MAX = 10
CREATED = "session.created"


class Authentication:
    """Decides who is calling."""

    def __init__(self, *, works: Works, accounts: Accounts, clock: Clock) -> None:
        self._works = works
        self._accounts = accounts
        self._clock = clock

    async def viewer(self, sign_in: SignIn, client: Client) -> Viewer | Refused:
        """The viewer of a token, asked for each operation: one round trip once it is known.

        First sight makes the account, its profile from the token and its session, tells
        ``user.created`` and ``session.created``, and says of a device never seen on an account
        that had sessions before that it is new. Who is refused leaves no session behind, and a
        line in the log once an hour. Raises Unavailable, TimedOut: a database that is away is
        never "signed out".
        """
        known = await self._accounts.known(sign_in, client.device_id or "")
        if known is None or known.session is None or _knows_more(sign_in, known.user):
            arrived = await self._arrive(sign_in, client)
            if not isinstance(arrived, tuple):
                return arrived
            user, session = arrived
        else:
            user, session = known.user, known.session
        refused = refusal(user, session)
        if refused is not None:
            return refused
        await self._touch(session)
        return Viewer(
            user_id=user.id,
            roles=user.roles,
            signed_in=SignedIn(
                session_id=session.id,
                signed_in_at=session.signed_in_at,
                expires_at=sign_in.expires_at,
                second_factor=sign_in.second_factor,
                email_verified=user.email_verified,
                address=client.address,
                agent=client.agent,
            ),
        )

    async def again(self, viewers: Sequence[Viewer]) -> Sequence[Viewer | Refused]:
        """Viewers of before as they are now, in their order: two round trips for all together.

        All of them signed in. Raises Unavailable, TimedOut.
        """
        users = await self._accounts.users([owner_of(viewer) for viewer in viewers])
        living = await self._accounts.living([session_of(viewer) for viewer in viewers])
        return [_as_now(viewer, users.get(owner_of(viewer)), living) for viewer in viewers]

    async def _arrive(self, sign_in: SignIn, client: Client) -> tuple[User, Session] | Refused:
        """Everything in here happens behind the user's row lock: a freeze is before or after."""
        now = self._clock.now()
        async with self._works.begin() as work:
            named = replace(sign_in, display_name=name_from_elsewhere(sign_in.display_name))
            user, made = await work.users.found_or_made(named, now=now)
            if (closed := _closed(user)) is not None:
                await self._tell_denied(work, user, client)
                return closed
            if made:
                work.events.append(events.user_created(user.id))
            elif _knows_more(sign_in, user):
                user = replace(
                    user,
                    email=sign_in.email,
                    email_verified=True,
                    email_as_of=sign_in.issued_at,
                )
                await work.users.save(user)
            known = await work.sessions.of_sign_in(user.id, sign_in.signed_in_at, client)
            if known is not None:
                return user, known
            if await self._is_over(work, user, sign_in):
                await self._tell_denied(work, user, client)
                return SessionEnded()
            if await work.sessions.count(user.id, sign_in.signed_in_at) >= DEVICES_PER_SIGN_IN_MAX:
                # One token and a thousand invented names would make as many rows and messages.
                client = replace(client, device_id=None)
                known = await work.sessions.of_sign_in(user.id, sign_in.signed_in_at, client)
                if known is not None:
                    return user, known
            new_device = await self._is_new_device(work, user, client, made=made)
            session, _ = await work.sessions.found_or_made(user, sign_in, client, now=now)
            self._tell(work, user, session, client, new_device=new_device)
            return user, session

    @staticmethod
    async def _is_over(work: Work, user: User, sign_in: SignIn) -> bool:
        """Whether a sign-in may begin no session any more.

        Clients choose their device's name: whose session was ended must not come back with the
        same token and another name.
        """
        if user.signed_out_at is not None and sign_in.signed_in_at <= user.signed_out_at:
            return True
        return await work.sessions.was_ended(user.id, sign_in.signed_in_at)

    @staticmethod
    async def _is_new_device(work: Work, user: User, client: Client, *, made: bool) -> bool:
        return not made and await work.sessions.device_is_new(user.id, client)

    async def _tell_denied(self, work: Work, user: User, client: Client) -> None:
        """Once an hour: whoever keeps knocking must not fill a log that is kept for ever."""
        now = self._clock.now()
        since = now - timedelta(hours=DENIED_EVERY_HOURS)
        if await work.activity.denied_since(user.id, CREATED, since):
            return
        work.activity.add(
            actor_id=user.id,
            subject_id=user.id,
            action=CREATED,
            result=ActivityResult.DENIED,
            now=now,
            client=client,
        )

    def _tell(
        self, work: Work, user: User, session: Session, client: Client, *, new_device: bool
    ) -> None:
        work.events.append(events.session_created(user.id, session.id, new_device=new_device))
        work.activity.add(
            actor_id=user.id,
            subject_id=user.id,
            action=CREATED,
            result=ActivityResult.SUCCEEDED,
            now=self._clock.now(),
            client=client,
            details={"sessionId": str(session.id), "provider": session.provider},
        )

    async def _touch(self, session: Session) -> None:
        now = self._clock.now()
        if (now - session.last_seen_at).total_seconds() > TOUCH_EVERY_SECONDS:
            await self._accounts.touch(session.id, now=now)


def _as_now(viewer: Viewer, user: User | None, living: frozenset[SessionId]) -> Viewer | Refused:
    if user is None:
        return AccountErased()
    if (closed := _closed(user)) is not None:
        return closed
    if session_of(viewer) not in living:
        return SessionEnded()
    signed_in = replace(sign_in_of(viewer), email_verified=user.email_verified)
    return replace(viewer, roles=user.roles, signed_in=signed_in)


def refusal(user: User, session: Session) -> Refused | None:
    """Why a session may not be used; nothing when it may."""
    if (closed := _closed(user)) is not None:
        return closed
    return None if session.ended_at is None else SessionEnded()


def _closed(user: User) -> AccountErased | AccountFrozen | None:
    if user.state is UserState.ERASED:
        return AccountErased()
    return AccountFrozen() if user.state is UserState.FROZEN else None


def _knows_more(sign_in: SignIn, user: User) -> bool:
    """Whether the token has a verified address that the account has not: the only kind it takes."""
    if not sign_in.email_verified or sign_in.email is None or _closed(user) is not None:
        return False
    # Tokens live an hour: one from before the address was changed does not know of that.
    if not user.email_verified or user.email_as_of is None:
        return True
    return user.email != sign_in.email and sign_in.issued_at > user.email_as_of
