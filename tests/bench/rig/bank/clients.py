"""Clients that send money and do not let go: the same key again until there is an answer."""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import httpx

from domain.kernel.ids import AssetCode
from domain.kernel.money import plain
from tests.bench.rig.bank.people import GIVEN, Person
from tests.bench.rig.bank.size import BTC, USDT, Size
from tests.bench.rig.bank.tally import Answer, Done, Refused, Tally, Wish

TRANSFER = """mutation Send($input: TransferFundsInput!) {
  transferFunds(input: $input) {
    __typename
    ... on TransferFundsSuccess { transfer { entryId asset amount fee available } }
    ... on UserError { code }
  }
}"""
TIMEOUT_SECONDS = 8.0
_PAUSE_SECONDS = (0.02, 0.2)
# Whether it was done nobody knows, or it was not: the same key may be sent again.
AGAIN = frozenset({
    "UNAVAILABLE", "TIMED_OUT", "CONFLICT", "OPERATION_TIMEOUT", "OVERLOADED", "RATE_LIMITED",
    "REQUEST_TIMEOUT", "IDEMPOTENCY_IN_PROGRESS",
})  # fmt: skip
# What the wishes here can be refused for; anything else was never asked for.
REFUSALS = frozenset({"INSUFFICIENT_FUNDS", "LIMIT_EXCEEDED"})
_SERVER_ERROR, _TOO_MANY = 500, 429
_UNIT = {AssetCode(USDT): Decimal("0.000001"), AssetCode(BTC): Decimal("0.00000001")}
_WHOLE_MOST = 3


@dataclass(frozen=True, slots=True)
class Again:
    """No answer yet, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Wrong:
    """What nobody may be told, whatever died."""

    what: str


def judged(status: int, body: Mapping[str, Any] | None) -> Answer | Again | Wrong:
    """What an HTTP answer to a transfer means. ``body`` is None where it was no JSON."""
    if body is None:
        known = status >= _SERVER_ERROR or status == _TOO_MANY
        return Again(f"HTTP {status}") if known else Wrong(f"HTTP {status} and no JSON")
    if body.get("errors"):
        extensions = body["errors"][0].get("extensions") or {}
        code = str(extensions.get("code"))
        return Again(code) if code in AGAIN else Wrong(f"HTTP {status}: {code}")
    payload = (body.get("data") or {}).get("transferFunds")
    if not payload:
        return Wrong(f"HTTP {status}: an answer without an answer")
    if payload["__typename"] == "TransferFundsSuccess":
        transfer = payload["transfer"]
        return Done(str(transfer["entryId"]), Decimal(transfer["available"]))
    code = payload["code"]
    if code in AGAIN:
        return Again(code)
    return Refused(code) if code in REFUSALS else Wrong(code)


class Wishes:
    """Makes them: random pairs, every amount once."""

    def __init__(self, people: Sequence[Person], size: Size) -> None:
        self._people = people
        self._size = size
        self._dice = random.Random(size.seed)  # noqa: S311  # the same every time
        self._serials = count(1)

    def next(self) -> tuple[Person, Person, Wish]:
        sender, recipient = self._dice.sample(self._people, 2)
        asset = AssetCode(self._dice.choice((USDT, BTC)))
        whole = self._dice.randrange(_WHOLE_MOST) * GIVEN[asset] / 100
        if self._dice.random() < self._size.hopeless_share:
            whole = GIVEN[asset] * len(self._people)
        amount = whole + next(self._serials) * _UNIT[asset]
        return sender, recipient, Wish(sender.user_id, recipient.user_id, asset, amount, uuid4())


class Client:
    """One of them: one wish after the other."""

    def __init__(self, url: str, wishes: Wishes, tally: Tally, size: Size, number: int) -> None:
        self._url = url
        self._wishes = wishes
        self._tally = tally
        self._size = size
        self._dice = random.Random(size.seed * 1000 + number)  # noqa: S311  # the same every time

    async def run(self, until: float) -> None:
        """Wish until then; what was wished is followed to its answer."""
        async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False) as http:
            while time.monotonic() < until:
                sender, recipient, wish = self._wishes.next()
                self._tally.sent(wish, at=time.monotonic())
                answer = await self._answer(http, sender, recipient, wish)
                self._tally.answered(wish, answer, at=time.monotonic())
                if self._dice.random() < self._size.replayed_share:
                    again = await self._answer(http, sender, recipient, wish)
                    self._tally.heard_again(wish, again)

    async def _answer(
        self, http: httpx.AsyncClient, sender: Person, recipient: Person, wish: Wish
    ) -> Answer:
        asked = {
            "recipient": {"userId": recipient.node_id},
            "asset": wish.asset,
            "amount": plain(wish.amount),
            "idempotencyKey": str(wish.key),
        }
        body = {"query": TRANSFER, "variables": {"input": asked}}
        while True:
            heard = await self._once(http, sender, body)
            if isinstance(heard, Done | Refused):
                return heard
            if isinstance(heard, Wrong):
                self._tally.wrong(f"a transfer was answered with {heard.what}")
            else:
                self._tally.retries[heard.why] += 1
            await asyncio.sleep(self._dice.uniform(*_PAUSE_SECONDS))

    async def _once(
        self, http: httpx.AsyncClient, sender: Person, body: object
    ) -> Answer | Again | Wrong:
        try:
            answer = await http.post(self._url, json=body, headers=sender.headers)
        except httpx.HTTPError as error:
            return Again(type(error).__name__)
        try:
            told = answer.json()
        except ValueError:
            told = None
        return judged(answer.status_code, told)
