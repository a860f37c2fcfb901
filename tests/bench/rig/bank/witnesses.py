"""Looking at the money all the time: at all of it from inside, at one person's from outside."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import asyncpg
import httpx

from domain.kernel.ids import AssetCode
from tests.bench.rig.bank.people import Person
from tests.bench.rig.bank.tally import Bounds, Tally, allowed

WALLETS = """{ viewer {
  wallets { asset available held total }
  transactions(first: 20) { edges { node { asset availableChange availableAfter } } }
} }"""
_MONEY = """
SELECT a.asset, sum(b.amount) AS together, min(b.amount) AS least
FROM wallets.balance b JOIN wallets.account a ON a.id = b.account_id GROUP BY a.asset
"""
_DONE = "SELECT count(*) FROM wallets.entry WHERE kind = 'TRANSFER'"
_LOOK_EVERY_SECONDS = 0.05
_TIMEOUT_SECONDS = 8.0
# A server that is killed says so to idle connections; asyncpg is then in no state for a question.
_BROKEN = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
)


@dataclass(slots=True)
class Inside:
    """One moment of everybody's money, over and over: a snapshot sums to what was given out.

    What was acknowledged before the moment is in it: an answer outlives whoever gave it.
    """

    url: str
    tally: Tally
    moments: int = 0

    async def run(self, until: float) -> None:
        while time.monotonic() < until:
            try:
                await self._look_on(until)
            except _BROKEN:  # the server was killed; the moment is not counted
                await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _look_on(self, until: float) -> None:
        connection = await asyncpg.connect(
            self.url, timeout=_TIMEOUT_SECONDS, command_timeout=_TIMEOUT_SECONDS
        )
        try:
            while time.monotonic() < until:
                await self.look(connection)
                await asyncio.sleep(_LOOK_EVERY_SECONDS)
        finally:
            connection.terminate()

    async def look(self, connection: Any) -> None:  # asyncpg has no types
        acknowledged = self.tally.acknowledged
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            money = await connection.fetch(_MONEY)
            done = await connection.fetchval(_DONE)
        self.moments += 1
        if done < acknowledged:
            self.tally.wrong(f"{acknowledged} transfers were acknowledged, {done} are there")
        given: dict[AssetCode, Decimal] = {}
        for (_, asset), amount in self.tally.given.items():
            given[asset] = given.get(asset, Decimal(0)) + amount
        for asset, together, least in money:
            if together != given.get(asset, 0):
                self.tally.wrong(f"a moment held {together} {asset} of {given.get(asset)}")
            if least < 0:
                self.tally.wrong(f"somebody had {least} {asset}")


@dataclass(slots=True)
class Outside:
    """Somebody who reads wallets over GraphQL, and knows what they may hold at that moment."""

    url: str
    people: Sequence[Person]
    tally: Tally
    seed: int
    reads: int = 0
    failed: int = 0
    _dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._dice = random.Random(self.seed)  # noqa: S311  # the same every time

    async def run(self, until: float) -> None:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as http:
            while time.monotonic() < until:
                person = self._dice.choice(self.people)
                before = self.tally.certain(person.user_id)
                viewer = await self._viewer(http, person)
                if viewer is None:
                    self.failed += 1
                else:
                    self.reads += 1
                    self.see(person, viewer, before)
                await asyncio.sleep(self._dice.uniform(0, _LOOK_EVERY_SECONDS))

    def see(self, person: Person, viewer: dict[str, Any], before: Bounds) -> None:
        """One answer, against what was certain before it and is possible by now."""
        after = self.tally.possible(person.user_id)
        for wallet in viewer["wallets"]:
            asset = AssetCode(wallet["asset"])
            given = self.tally.given.get((person.user_id, asset), Decimal(0))
            self.check(wallet, *allowed(given, asset, before=before, after=after))
        self.check_statement([edge["node"] for edge in viewer["transactions"]["edges"]])

    def check(self, wallet: dict[str, str], least: Decimal, most: Decimal) -> None:
        """A wallet is whole, above zero, and within what the answers before it leave open."""
        available, held = Decimal(wallet["available"]), Decimal(wallet["held"])
        if available + held != Decimal(wallet["total"]) or min(available, held) < 0:
            self.tally.wrong(f"a torn wallet: {wallet}")
        if not least <= available + held <= most:
            self.tally.wrong(f"a wallet of {wallet} must be {least} to {most}")

    def check_statement(self, lines: Sequence[dict[str, str]]) -> None:
        """Newest first, each line begins where the one before it in time ended."""
        ends: dict[str, Decimal] = {}
        for line in lines:
            after = Decimal(line["availableAfter"])
            if ends.get(line["asset"], after) != after:
                self.tally.wrong(f"a statement with a hole at {line}")
            ends[line["asset"]] = after - Decimal(line["availableChange"])

    async def _viewer(self, http: httpx.AsyncClient, person: Person) -> dict[str, Any] | None:
        """None when nobody could answer just then."""
        try:
            answer = await http.post(self.url, json={"query": WALLETS}, headers=person.headers)
            told = answer.json()
        except (httpx.HTTPError, ValueError):
            return None
        if "errors" in told:
            return None
        viewer: dict[str, Any] = told["data"]["viewer"]
        return viewer
