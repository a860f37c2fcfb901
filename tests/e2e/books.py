"""The sandbox's own books, written to by the domain's services: what no field of the API does.

A clock of the test's says when it was. Whatever is done with it afterwards, real processes do.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx

from adapters.clock import SystemClock
from adapters.listed_assets import list_assets
from adapters.postgres import Database
from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from schema._ids import decode_id
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import Service
from tests.users.doubles import SetClock
from tests.wallets.conftest import BTC, Bank

LONG_AGO = timedelta(hours=26)
"""Of a day that is over, whatever o'clock it is, and not the day of an hour ago."""


@asynccontextmanager
async def books_of(sandbox: Sandbox, *, ago: timedelta = timedelta(0)) -> AsyncIterator[Bank]:
    """The domain on the sandbox's PostgreSQL, by a clock that stands so long ago."""
    database = Database(
        str(sandbox.addresses["database"]), role="test", pool_size=2, timeout_seconds=30.0
    )
    bank = Bank(database, clock=SetClock(SystemClock().now() - ago))
    try:
        # The worker does it, too: who comes first.
        await list_assets(bank.assets)
        yield bank
    finally:
        await database.aclose()


def user_id_of(viewer_id: str) -> UserId:
    """Whose global id it is."""
    decoded = decode_id(viewer_id, "User", argument="id")
    assert not isinstance(decoded, BadInput), decoded
    return UserId(decoded)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed up, and can sign in again."""

    email: str
    viewer_id: str

    @property
    def user_id(self) -> UserId:
        return user_id_of(self.viewer_id)


@dataclass(frozen=True, slots=True)
class Yesterday:
    """What was booked before anything else: two have 12.5 and 30 USDT, the second 0.1 BTC, too."""

    day: date
    ann: Person
    bob: Person
    entries: int = 3


async def lived_since_yesterday(sandbox: Sandbox) -> Yesterday:
    """Make a sandbox's books begin with a day that is over. They must be empty."""
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        firebase = Service("ours", http)
        ann, bob = [await _known(sandbox, firebase.sign_up()) for _ in range(2)]
    async with books_of(sandbox, ago=LONG_AGO) as bank:
        await bank.give(ann.user_id, "12.5")
        await bank.give(bob.user_id, "30")
        await bank.give(bob.user_id, "0.1", BTC)
        return Yesterday(bank.clock.now().date(), ann, bob)


async def _known(sandbox: Sandbox, signed: dict[str, Any]) -> Person:
    """To the product, too: whose first request it is, has an account from then on."""
    async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
        answer = await client.post(
            sandbox.addresses["graphql"],
            json={"query": "{ viewer { id } }"},
            headers={"authorization": f"Bearer {signed['idToken']}"},
        )
    return Person(signed["email"], answer.json()["data"]["viewer"]["id"])
