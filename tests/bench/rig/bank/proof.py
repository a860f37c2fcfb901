"""What has to be true when it is quiet again, down to the last unit and the last event.

Everything here compares what clients and subscribers saw with the database, read directly.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import asyncpg
import orjson

from adapters.postgres import Database
from adapters.postgres.wallets import PostgresVerification
from domain.kernel.events import stream_of_user
from domain.kernel.ids import AssetCode, UserId
from tests.bench.rig.bank.followers import Follower
from tests.bench.rig.bank.tally import Purse, Refused, Tally, Wish

_CATCH_UP_SECONDS = 30.0
_VERIFY_SECONDS = 120.0
_LINES = """
SELECT p.owner, p.asset, p.amount, p.balance, p.seq, e.id, e.kind,
    e.details ->> 'sender' AS sender, e.details ->> 'recipient' AS recipient
FROM wallets.posting p JOIN wallets.entry e USING (position)
WHERE p.owner IS NOT NULL ORDER BY p.position, p.line
"""
_BALANCES = """
SELECT a.owner, a.asset, b.amount FROM wallets.balance b JOIN wallets.account a
ON a.id = b.account_id WHERE a.kind = 'AVAILABLE'
"""
_EVENTS = "SELECT seq, type, body FROM events.event WHERE stream = $1 ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Line:
    """A posting of a user's account, in the order of the journal."""

    owner: UserId
    asset: AssetCode
    amount: Decimal
    balance: Decimal
    entry_id: str
    kind: str
    sender: str | None
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is stored."""

    number: int
    type: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found; nothing is wrong when ``violations`` is empty."""

    off_by: Mapping[str, Decimal]
    """By asset: what is in all wallets and was not given out."""
    findings: int
    """Of the verification."""
    violations: Sequence[str]
    events: int
    """That reached their subscribers."""


async def proven(url: str, tally: Tally, followers: Sequence[Follower]) -> Proof:
    """Look at everything; the storm is over and nothing is pending."""
    connection = await asyncpg.connect(url, timeout=_CATCH_UP_SECONDS)
    try:
        lines = [_line(row) for row in await connection.fetch(_LINES)]
        balances = {
            (UserId(row["owner"]), AssetCode(row["asset"])): row["amount"]
            for row in await connection.fetch(_BALANCES)
        }
        wrong = [*of_answers(tally, lines), *of_balances(tally, balances)]
        for follower in followers:
            stream = stream_of_user(follower.person.user_id)
            told = [_told(row) for row in await connection.fetch(_EVENTS, stream)]
            with suppress(TimeoutError):  # what it missed is found below
                await follower.until(len(told), within_seconds=_CATCH_UP_SECONDS)
            wrong += of_events(follower, told, lines)
    finally:
        await connection.close()
    findings = await _findings(url)
    wrong += [f"the verification: {finding}" for finding in findings]
    return Proof(
        off_by=_off_by(tally, balances),
        findings=len(findings),
        violations=[*tally.violations, *wrong],
        events=sum(len(follower.heard) for follower in followers),
    )


def of_answers(tally: Tally, lines: Sequence[Line]) -> Iterator[str]:
    """Every acknowledged transfer is in the journal once, and nothing else is."""
    yield from (f"never answered: {wish}" for wish in tally.pending)
    sent = {_name_of(line): line for line in lines if line.kind == "TRANSFER" and line.amount < 0}
    names = Counter(_name_of(line) for line in lines if line.kind == "TRANSFER" and line.amount < 0)
    done = {_name(wish): answer for wish, answer in tally.done.items()}
    refused = {_name(wish): answer for wish, answer in tally.refused.items()}
    for name, times in names.items():
        if times != 1:
            yield f"in the journal {times} times: {name}"
        if name not in done:
            yield f"in the journal and {_how(refused.get(name))}: {name}"
    for name, answer in done.items():
        line = sent.get(name)
        if line is None:
            yield f"acknowledged and not in the journal: {name}"
        elif line.balance != answer.available:
            yield f"{name} left {line.balance}, and {answer.available} was answered"
    if len({answer.transfer for answer in done.values()}) != len(done):
        yield "two transfers have one id"


def of_balances(tally: Tally, balances: Mapping[Purse, Decimal]) -> Iterator[str]:
    """Everybody has what the answers to everybody say."""
    for purse in tally.given:
        found = balances.get(purse, Decimal(0))
        if found != tally.due(purse):
            yield f"{purse} has {found} and must have {tally.due(purse)}"


def of_events(follower: Follower, told: Sequence[Told], lines: Sequence[Line]) -> Iterator[str]:
    """A subscriber heard every event once, in order; and every posting is an event, exactly."""
    who = follower.person.user_id
    heard = [(event.number, event.type) for event in follower.heard]
    stored = [(event.number, event.type) for event in told]
    if heard != stored:
        yield f"{who} heard {len(heard)} events of {len(stored)}, or others"
    if [number for number, _ in stored] != list(range(1, len(stored) + 1)):
        yield f"the events of {who} are not numbered 1 to {len(stored)}"
    for asset in {line.asset for line in lines}:
        posted = [
            (line.entry_id, line.amount, line.balance)
            for line in lines
            if line.owner == who and line.asset == asset
        ]
        announced = [
            (e.body["entryId"], Decimal(e.body["availableChange"]), Decimal(e.body["available"]))
            for e in told
            if e.type.startswith("wallet.") and e.body["asset"] == asset
        ]
        if posted != announced:
            yield f"{who} has {len(posted)} postings of {asset} and {len(announced)} events"


async def _findings(url: str) -> Sequence[object]:
    database = Database(url, role="bench", pool_size=1, timeout_seconds=_VERIFY_SECONDS)
    try:
        return await PostgresVerification(database).findings()
    finally:
        await database.aclose()


def _off_by(tally: Tally, balances: Mapping[Purse, Decimal]) -> dict[str, Decimal]:
    off: dict[str, Decimal] = {}
    for sign, purses in ((1, balances), (-1, tally.given)):
        for (_, asset), amount in purses.items():
            off[asset] = off.get(asset, Decimal(0)) + sign * amount
    return off


_Name = tuple[str, str, str, Decimal]


def _name(wish: Wish) -> _Name:
    return str(wish.sender), str(wish.recipient), wish.asset, wish.amount


def _name_of(line: Line) -> _Name:
    return str(line.sender), str(line.recipient), line.asset, -line.amount


def _how(answer: Refused | None) -> str:
    return "nobody was told" if answer is None else f"{answer} was answered"


def _line(row: Mapping[str, Any]) -> Line:
    return Line(
        owner=UserId(row["owner"]),
        asset=AssetCode(row["asset"]),
        amount=row["amount"],
        balance=row["balance"],
        entry_id=str(row["id"]),
        kind=row["kind"],
        sender=row["sender"],
        recipient=row["recipient"],
    )


def _told(row: Mapping[str, Any]) -> Told:
    return Told(row["seq"], row["type"], orjson.loads(row["body"]))
