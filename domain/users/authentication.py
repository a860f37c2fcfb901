"""From a verified sign-in to a viewer: the account on first sight, the session, and who may not."""

from dataclasses import replace

from domain.kernel.clock import Clock
from domain.kernel.viewer import SignedIn, Viewer
from domain.users import events
from domain.users.errors import AccountErased, AccountFrozen, SessionEnded
from domain.users.model import ActivityResult, Client, Session, SignIn, User, UserState
from domain.users.ports import Accounts, Work, Works

Refused = SessionEnded | AccountFrozen | AccountErased


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
        that had sessions before that it is new. Raises Unavailable, TimedOut: a database that is
        away is never "signed out".
        """
        known = await self._accounts.known(sign_in, client.device_id or "")
        if known is None or known.session is None or _knows_more(sign_in, known.user):
            user, session = await self._arrive(sign_in, client)
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

    async def _arrive(self, sign_in: SignIn, client: Client) -> tuple[User, Session]:
        now = self._clock.now()
        async with self._works.begin() as work:
            user, made = await work.users.found_or_made(sign_in, now=now)
            if made:
                work.events.append(events.user_created(user.id))
            elif _knows_more(sign_in, user):
                user = replace(user, email=sign_in.email, email_verified=True)
                await work.users.save(user)
            new_device = await self._is_new_device(work, user, client, made=made)
            session, begun = await work.sessions.found_or_made(user, sign_in, client, now=now)
            if begun:
                await self._tell(work, user, session, client, new_device=new_device)
            return user, session

    @staticmethod
    async def _is_new_device(work: Work, user: User, client: Client, *, made: bool) -> bool:
        return not made and await work.sessions.device_is_new(user.id, client.device_id or "")

    async def _tell(
        self, work: Work, user: User, session: Session, client: Client, *, new_device: bool
    ) -> None:
        work.events.append(events.session_created(user.id, session.id, new_device=new_device))
        denied = refusal(user, session) is not None
        work.activity.add(
            actor_id=user.id,
            subject_id=user.id,
            action="session.created",
            result=ActivityResult.DENIED if denied else ActivityResult.SUCCEEDED,
            now=self._clock.now(),
            client=client,
            details={"sessionId": str(session.id), "provider": session.provider},
        )

    async def _touch(self, session: Session) -> None:
        now = self._clock.now()
        if (now - session.last_seen_at).total_seconds() > TOUCH_EVERY_SECONDS:
            await self._accounts.touch(session.id, now=now)


TOUCH_EVERY_SECONDS = 60


def refusal(user: User, session: Session) -> Refused | None:
    """Why a session may not be used; nothing when it may."""
    if user.state is UserState.ERASED:
        return AccountErased()
    if user.state is UserState.FROZEN:
        return AccountFrozen()
    if session.ended_at is not None:
        return SessionEnded()
    return None


def _knows_more(sign_in: SignIn, user: User) -> bool:
    """Whether the token has a verified address that the account has not: the only kind it takes."""
    if not sign_in.email_verified or sign_in.email is None or user.state is UserState.ERASED:
        return False
    return (user.email, user.email_verified) != (sign_in.email, True)
