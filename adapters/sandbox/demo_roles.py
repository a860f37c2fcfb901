"""The demo users' roles, as rows of the product's own database."""

from datetime import timedelta

from adapters.sandbox.identity import DEMO_USERS, DemoUser
from domain.kernel.clock import Clock
from domain.kernel.viewer import Role
from domain.users import events
from domain.users.model import Identity, SignIn
from domain.users.ports import Works


async def seed_demo_roles(works: Works, *, project: str, tenant: str, clock: Clock) -> None:
    """Give each demo user their role; who has it already is left alone.

    The account is made as a first sign-in would: whoever comes first, the other one finds it.
    Raises Unavailable, TimedOut, Conflict.
    """
    for user in DEMO_USERS:
        await _seed(user, works, Identity(project, tenant, user.uid), clock)


async def _seed(user: DemoUser, works: Works, identity: Identity, clock: Clock) -> None:
    now = clock.now()
    sign_in = SignIn(
        identity=identity,
        signed_in_at=now,
        issued_at=now,
        expires_at=now + timedelta(hours=1),
        provider="password",
        second_factor=None,
        email=user.email,
        email_verified=True,
        display_name=user.display_name,
    )
    async with works.begin() as work:
        account, made = await work.users.found_or_made(sign_in, now=now)
        if made:
            work.events.append(events.user_created(account.id))
        await work.desk.grant(account.id, Role(user.role), by=None)
