"""What an operator does by hand: rewrap data keys, make the first administrator.

Each command returns the sentence it prints, or raises ByHandError with the one that says why not.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from adapters.clock import SystemClock
from adapters.postgres import Database
from adapters.postgres.users import PostgresAccounts, PostgresWorks, rotate_keys
from adapters.settings import Settings
from adapters.vault import BlindIndex, KeyRing, Tampered
from domain.kernel.ids import UserId
from domain.users.model import User
from domain.users.ports import UserQuery
from domain.users.roles import make_first_admin

# Nobody waits at a screen for an answer, and a busy database is given time.
_TIMEOUT_SECONDS = 30.0


class ByHandError(Exception):
    """Why nothing was done, for the operator to read."""


@dataclass(frozen=True)
class Tools:
    """What people and their data are reached with."""

    database: Database
    ring: KeyRing
    index: BlindIndex


async def rotate(settings: Settings, arguments: Sequence[str]) -> str:
    """Rewrap every data key under the first master key of the ring."""
    if arguments:
        raise ByHandError("rotate-keys takes no arguments.")
    async with opened(settings) as tools:
        try:
            count = await rotate_keys(tools.database, tools.ring)
        except Tampered as error:
            raise ByHandError(f"OKD_VAULT_KEYS: {error}. Keep it until this is done.") from error
    return f"{count} data keys were rewrapped; all are under {tools.ring.active!r} now."


async def first_admin(settings: Settings, arguments: Sequence[str]) -> str:
    """Make one account the first administrator; never a second one."""
    if len(arguments) != 1:
        raise ByHandError("Say whom: python app.py first-admin UID, or the account's id.")
    clock = SystemClock()
    async with opened(settings) as tools:
        accounts = PostgresAccounts(tools.database, ring=tools.ring, index=tools.index)
        user = await _found(accounts, arguments[0], settings)
        works = PostgresWorks(tools.database, ring=tools.ring, index=tools.index, clock=clock)
        if await make_first_admin(works, user.id, clock=clock) is None:
            raise ByHandError(
                "Nothing was done: there is an administrator already, or the account is not active."
            )
    return f"{user.id} ({user.identity.uid}) is an administrator now. The log says so, too."


async def _found(accounts: PostgresAccounts, name: str, settings: Settings) -> User:
    """By Firebase's uid in our project and tenant, or by the id of the account."""
    candidates = await accounts.find(UserQuery(uid=name), first=100, after=None)
    place = (settings.firebase_project, settings.firebase_tenant)
    for user in candidates:
        if (user.identity.project, user.identity.tenant) == place:
            return user
    try:
        found = await accounts.user(UserId(UUID(name)))
    except ValueError:
        found = None
    if found is None:
        raise ByHandError("No such account: accounts are made when somebody signs in.")
    return found


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Tools]:
    """The database and the keys. Raises ByHandError without keys."""
    if settings.vault_keys is None or settings.blind_index_key is None:
        raise ByHandError("OKD_VAULT_KEYS and OKD_BLIND_INDEX_KEY: are missing.")
    database = Database(
        settings.database_url.get_secret_value(),
        role="operator",
        pool_size=2,
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    try:
        yield Tools(
            database,
            KeyRing.parse(settings.vault_keys.get_secret_value()),
            BlindIndex(settings.blind_index_key.get_secret_value().encode()),
        )
    finally:
        await database.aclose()
