"""The ledger against a plain dictionary: whatever is done in whatever order, they agree.

After every step: INV-01 balanced, INV-08 balances are the journal's, INV-09 nobody below zero,
INV-14 numbers without a gap, and holds that are resolved once. At the end INV-13: everything is
rebuilt from the journal alone.
"""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from adapters.postgres import Database
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.money import plain
from domain.wallets import Transfer, TransferFunds
from domain.wallets.errors import HoldNotOpen, HoldTooSmall, InsufficientFunds
from domain.wallets.model import Hold, HoldId, HoldState, available
from tests.wallets.conftest import ASSETS, USDT, Bank
from tests.world import DatabaseUrls

T = TypeVar("T")

people = st.integers(0, 2)
amounts = st.integers(1, 5_000_000).map(lambda units: Decimal(units).scaleb(-6)) | st.sampled_from(
    [Decimal("0.000001"), Decimal(1), Decimal(3)]
)


@dataclass
class Held:
    """What the dictionary knows of a hold."""

    owner: int
    amount: Decimal
    expires_at: datetime | None
    state: HoldState = HoldState.OPEN


class LedgerMachine(RuleBasedStateMachine):
    """One bank of three people, and the same in dictionaries."""

    urls: DatabaseUrls
    runner: asyncio.Runner

    holds = Bundle("holds")
    sent = Bundle("sent")

    @initialize()
    def open(self) -> None:
        self.bank = self.do(self._opened())
        self.ids = [UserId(new_uuid7()) for _ in range(3)]
        self.available = [Decimal(0)] * 3
        self.held = [Decimal(0)] * 3
        self.known: dict[HoldId, Held] = {}

    async def _opened(self) -> Bank:
        bank = Bank(Database(self.urls.app, role="test", pool_size=1))
        for asset in ASSETS:
            await bank.assets.add(asset)
        start = bank.clock.now()
        bank.clock.move(days=1)
        await bank.holds.expire_due()  # what an example before this one left open
        bank.clock.at = start
        return bank

    def do(self, awaited: Awaitable[T]) -> T:
        async def waiting() -> T:
            return await awaited

        return self.runner.run(waiting())

    @rule(who=people, amount=amounts)
    def deposit(self, who: int, amount: Decimal) -> None:
        posted = self.do(self.bank.give(self.ids[who], str(amount)))
        self.available[who] += amount
        (state,) = posted.states
        assert state.balance == self.available[who]

    @rule(target=sent, sender=people, recipient=people, amount=amounts)
    def transfer(self, sender: int, recipient: int, amount: Decimal) -> Any:
        if sender == recipient:
            return multiple()
        wish = TransferFunds(self.ids[sender], self.ids[recipient], USDT, amount, uuid4())
        answer = self.do(self.bank.transfers.transfer(wish))
        if amount > self.available[sender]:
            assert answer == InsufficientFunds(USDT, self.available[sender])
        else:
            self.available[sender] -= amount
            self.available[recipient] += amount
            assert isinstance(answer, Transfer)
            assert answer.available == self.available[sender]
        return wish, answer

    @rule(before=sent)
    def repeat(self, before: tuple[TransferFunds, object]) -> None:
        wish, answer = before
        assert self.do(self.bank.transfers.transfer(wish)) == answer

    @rule(target=holds, who=people, amount=amounts, minutes=st.none() | st.integers(1, 5))
    def reserve(self, who: int, amount: Decimal, minutes: int | None) -> Any:
        now = self.bank.clock.now()
        expires_at = None if minutes is None else now + timedelta(minutes=minutes)
        answer = self.do(
            self.bank.holds.reserve(
                self.ids[who], USDT, amount, reason="order", expires_at=expires_at
            )
        )
        if amount > self.available[who]:
            assert answer == InsufficientFunds(USDT, self.available[who])
            return multiple()
        assert isinstance(answer, Hold)
        self.available[who] -= amount
        self.held[who] += amount
        self.known[answer.id] = Held(who, amount, expires_at)
        return answer.id

    @rule(hold_id=holds, taken=st.none() | amounts, to=people)
    def post(self, hold_id: HoldId, taken: Decimal | None, to: int) -> None:
        held = self.known[hold_id]
        target = available(self.ids[to], USDT)
        answer = self.do(self.bank.holds.post(hold_id, to=target, amount=taken))
        if taken is not None and taken > held.amount:
            assert answer == HoldTooSmall(USDT, held.amount)
        elif held.state is not HoldState.OPEN:
            assert answer == HoldNotOpen(held.state)
        elif held.expires_at is not None and held.expires_at <= self.bank.clock.now():
            assert answer == HoldNotOpen(HoldState.EXPIRED)
        else:
            assert isinstance(answer, Hold)
            self._resolve(held, HoldState.POSTED, held.amount if taken is None else taken, to)

    @rule(hold_id=consumes(holds))
    def void(self, hold_id: HoldId) -> None:
        held = self.known[hold_id]
        answer = self.do(self.bank.holds.void(hold_id))
        if held.state is not HoldState.OPEN:
            assert answer == HoldNotOpen(held.state)
        else:
            assert isinstance(answer, Hold)
            self._resolve(held, HoldState.VOIDED, Decimal(0), held.owner)

    @rule(minutes=st.integers(1, 6))
    def time_passes(self, minutes: int) -> None:
        self.bank.clock.move(minutes=minutes)
        due = [
            held
            for held in self.known.values()
            if held.state is HoldState.OPEN
            and held.expires_at is not None
            and held.expires_at <= self.bank.clock.now()
        ]
        assert self.do(self.bank.holds.expire_due()) == len(due)
        for held in due:
            self._resolve(held, HoldState.EXPIRED, Decimal(0), held.owner)

    @rule()
    def seal(self) -> None:
        self.do(self.bank.sealing.seal(now=self.bank.clock.now(), limit=3))

    def _resolve(self, held: Held, state: HoldState, taken: Decimal, to: int) -> None:
        held.state = state
        self.held[held.owner] -= held.amount
        self.available[held.owner] += held.amount - taken
        self.available[to] += taken

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "bank"):
            return
        for number, owner in enumerate(self.ids):
            expected = f"{plain(self.available[number])} + {plain(self.held[number])}"
            assert self.do(self.bank.has(owner)) == expected

    def teardown(self) -> None:
        if hasattr(self, "bank"):
            try:
                assert self.do(self.bank.verification.findings()) == []
            finally:
                self.do(self.bank.database.aclose())


def test_the_ledger_agrees_with_a_dictionary(database_urls: DatabaseUrls, database: Database):
    LedgerMachine.urls = database_urls
    with _loop() as runner:
        LedgerMachine.runner = runner
        run_state_machine_as_test(
            LedgerMachine,
            settings=settings(
                max_examples=12,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@contextmanager
def _loop() -> Iterator[asyncio.Runner]:
    # Hypothesis is not asynchronous: the machine's own loop, beside the one of the fixtures.
    with asyncio.Runner() as runner:
        yield runner


async def test_inv_13_balances_are_rebuilt_from_the_journal(
    bank: Bank, database_urls: DatabaseUrls
):
    ann, bob = await bank.person("10"), await bank.person("3")
    await bank.transfers.transfer(bank.wish(ann, bob, "2.5"))
    await bank.holds.reserve(bob, USDT, Decimal(1), reason="order")
    before = [await bank.has(ann), await bank.has(bob)]

    owner = await asyncpg.connect(database_urls.owner)
    await owner.execute("DELETE FROM wallets.balance")
    lost = {finding.rule for finding in await bank.verification.findings()}
    await owner.execute(
        "INSERT INTO wallets.balance SELECT p.account_id, sum(p.amount), count(*), false,"
        " max(p.sent), max((e.at AT TIME ZONE 'UTC')::date) FROM wallets.posting p"
        " JOIN wallets.entry e ON e.position = p.position"
        " WHERE p.owner IS NOT NULL GROUP BY p.account_id"
    )
    await owner.close()

    assert lost == {"wrong_balance", "wrong_closing"}
    assert [await bank.has(ann), await bank.has(bob)] == before == ["7.5 + 0", "4.5 + 1"]
    assert await bank.verification.findings() == []
