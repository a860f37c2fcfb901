"""A command with a key is done once: every promise, with everybody at the same time."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import text

from adapters.postgres.idempotency import forget_commands
from adapters.postgres.statements import call
from domain.kernel.failures import Unavailable
from domain.kernel.idempotency import (
    Command,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Outcomes,
    digest_of,
    once,
)
from domain.kernel.ids import UserId, new_uuid7
from domain.wallets import Transfer, ledger
from domain.wallets.errors import InsufficientFunds, UnknownRecipient
from domain.wallets.model import Posted
from domain.wallets.recording import record
from tests.wallets.conftest import USDT, Bank
from tests.world import DatabaseUrls


@dataclass(frozen=True, slots=True)
class Paid:
    """What came of a rule of these tests."""

    number: int


@dataclass
class Payments:
    """Pays a fee of one, and can be held up and broken in the middle."""

    bank: Bank
    payer: UserId
    key: UUID
    runs: int = 0
    pid: int = 0

    def __post_init__(self) -> None:
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def pay(self, *, answer: Any = None) -> Any:
        command = Command(self.payer, "pay", self.key, b"d" * 32)

        async def rule(work: Any) -> Any:
            self.runs += 1
            entry = ledger.fee(self.payer, USDT, Decimal(1), at=self.bank.clock.now())
            assert isinstance(await record(work, entry), Posted)
            self.pid = await call(work.ledger._unit, "SELECT pg_backend_pid()")
            self.reached.set()
            await self.go_on.wait()
            return answer or Paid(self.runs)

        outcomes = Outcomes(Paid, InsufficientFunds)
        return await once(self.bank.works.begin, command, outcomes, rule)


async def test_the_same_key_at_once_moves_once_and_answers_alike(bank: Bank):
    ann, bob = await bank.person("100"), await bank.person()
    wish = bank.wish(ann, bob, "10")

    answers = await asyncio.gather(*(bank.transfers.transfer(wish) for _ in range(16)))
    late = await bank.transfers.transfer(wish)

    assert isinstance(late, Transfer)
    assert answers == [late] * 16
    assert await bank.has(ann) == "90 + 0"
    assert await bank.has(bob) == "10 + 0"
    assert len(await bank.told(bob)) == 1


async def test_inv_15_a_refusal_is_answered_again_and_not_as_done(bank: Bank):
    ann, bob = await bank.person("1"), await bank.person()
    wish = bank.wish(ann, bob, "10")
    first = await bank.transfers.transfer(wish)
    await bank.give(ann, "100")

    again = await asyncio.gather(*(bank.transfers.transfer(wish) for _ in range(8)))

    assert first == InsufficientFunds(USDT, Decimal(1))
    assert again == [first] * 8
    assert await bank.has(bob) == "0 + 0"
    assert isinstance(await bank.transfers.transfer(bank.wish(ann, bob, "10")), Transfer)


async def test_an_answer_outlives_its_reasons(bank: Bank):
    ann, bob, cid = await bank.person("100"), await bank.person(), await bank.person()
    bank.recipients.unknown.add(cid)
    paid, refused = bank.wish(ann, bob, "10"), bank.wish(ann, cid, "10")
    first = await bank.transfers.transfer(paid), await bank.transfers.transfer(refused)

    bank.recipients.unknown = {bob}
    again = await bank.transfers.transfer(paid), await bank.transfers.transfer(refused)

    assert isinstance(first[0], Transfer)
    assert first[1] == UnknownRecipient()
    assert again == first
    assert await bank.has(ann) == "90 + 0"


async def test_another_body_is_another_request(bank: Bank):
    ann, bob, cid = await bank.person("100"), await bank.person(), await bank.person()
    key = uuid4()
    done = await bank.transfers.transfer(bank.wish(ann, bob, "10", key))

    for other in (bank.wish(ann, bob, "11", key), bank.wish(ann, cid, "10", key)):
        assert await bank.transfers.transfer(other) == IdempotencyKeyReused()
    same = await bank.transfers.transfer(bank.wish(ann, bob, "10.00", key))

    assert same == done
    assert await bank.has(ann) == "90 + 0"
    # A key belongs to who sent it.
    assert isinstance(await bank.transfers.transfer(bank.wish(bob, cid, "1", key)), Transfer)


async def test_a_twin_waits_for_the_answer(bank: Bank):
    ann = await bank.person("10")
    payments = Payments(bank, ann, uuid4())
    payments.go_on.clear()

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(payments.pay())
        await payments.reached.wait()
        twin = tasks.create_task(payments.pay())
        await waiting_for_a_lock(bank)
        payments.go_on.set()

    assert first.result() == twin.result() == Paid(1)
    assert payments.runs == 1
    assert await bank.has(ann) == "9 + 0"


async def waiting_for_a_lock(bank: Bank) -> None:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    async with asyncio.timeout(5):
        while True:
            async with bank.database.read() as session:
                connection = await session.connection()
                if (await connection.execute(query)).scalar_one():
                    return
            await asyncio.sleep(0.01)


async def test_a_twin_does_not_wait_for_ever(bank: Bank):
    impatient = Bank(bank.database, patience_seconds=0.05)
    ann = await bank.person("10")
    payments = Payments(impatient, ann, uuid4())
    payments.go_on.clear()

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(payments.pay())
        await payments.reached.wait()
        assert await payments.pay() == IdempotencyInProgress()
        payments.go_on.set()

    assert first.result() == Paid(1)
    assert await payments.pay() == Paid(1)
    assert payments.runs == 1
    assert await bank.has(ann) == "9 + 0"


async def test_a_crash_in_between_leaves_nothing_and_the_key_is_free(
    bank: Bank, database_urls: DatabaseUrls
):
    ann = await bank.person("10")
    payments = Payments(bank, ann, uuid4())
    payments.go_on.clear()
    killer = await asyncpg.connect(database_urls.app)

    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(refused_by_the_world(payments))
        await payments.reached.wait()
        assert await killer.fetchval("SELECT pg_terminate_backend($1, 5000)", payments.pid)
        payments.go_on.set()
    await killer.close()

    assert isinstance(first.result(), Unavailable)
    assert await bank.has(ann) == "10 + 0"
    assert len(await bank.told(ann)) == 1
    assert await payments.pay() == Paid(2)
    assert await payments.pay() == Paid(2)
    assert await bank.has(ann) == "9 + 0"
    assert await bank.verification.findings() == []


async def refused_by_the_world(payments: Payments) -> BaseException:
    with pytest.raises(Unavailable) as broken:
        await payments.pay()
    return broken.value


async def test_a_crash_hands_the_key_to_the_twin_who_waits(bank: Bank, database_urls: DatabaseUrls):
    ann = await bank.person("10")
    payments = Payments(bank, ann, uuid4())
    payments.go_on.clear()
    killer = await asyncpg.connect(database_urls.app)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(refused_by_the_world(payments))
        await payments.reached.wait()
        twin = tasks.create_task(payments.pay())
        await waiting_for_a_lock(bank)
        assert await killer.fetchval("SELECT pg_terminate_backend($1, 5000)", payments.pid)
        payments.go_on.set()
    await killer.close()

    assert twin.result() == Paid(2)
    assert await bank.has(ann) == "9 + 0"


async def test_a_refusal_takes_back_what_its_rule_wrote(bank: Bank):
    ann = await bank.person("10")
    payments = Payments(bank, ann, uuid4())
    refusal = InsufficientFunds(USDT, Decimal("0.5"))

    assert await payments.pay(answer=refusal) == refusal
    assert await payments.pay() == refusal

    assert payments.runs == 1
    assert await bank.has(ann) == "10 + 0"
    assert len(await bank.told(ann)) == 1
    assert await bank.verification.findings() == []


async def test_keys_are_forgotten_after_ninety_days(bank: Bank):
    ann = await bank.person("10")
    payments = Payments(bank, ann, uuid4())
    await payments.pay()

    await forget_commands(bank.database, now=bank.clock.now() + timedelta(days=89))
    assert await payments.pay() == Paid(1)
    await forget_commands(bank.database, now=bank.clock.now() + timedelta(days=91))
    assert await payments.pay() == Paid(2)


@dataclass(frozen=True, slots=True)
class Everything:
    """All that can be kept."""

    id: UserId
    amount: Decimal
    at: datetime
    name: str
    count: int
    right: bool
    nothing: UUID | None
    something: Decimal | None
    added_later: str = "usual"


def test_an_outcome_comes_back_as_it_was():
    outcomes = Outcomes(Everything)
    before = Everything(
        UserId(new_uuid7()), Decimal("0.10"), datetime(2026, 1, 2, tzinfo=UTC), "x", 3, True, None,
        Decimal("1E-18"),
    )  # fmt: skip
    kept = outcomes.kept(before)

    assert outcomes.replayed(kept) == before
    kept["values"] = {"removed": 1, **kept["values"]}  # type: ignore[dict-item]
    del kept["values"]["added_later"]  # type: ignore[attr-defined]
    assert outcomes.replayed(kept) == before
    with pytest.raises(KeyError):
        outcomes.kept(Paid(1))
    with pytest.raises(TypeError):
        Outcomes(int)


def test_a_digest_is_of_the_meaning():
    one = digest_of(amount=Decimal("1.50"), to="a", memo=None)

    assert one == digest_of(to="a", memo=None, amount=Decimal("1.5"))
    assert one != digest_of(to="a", memo="", amount=Decimal("1.5"))
    assert digest_of(amount=Decimal(100)) != digest_of(amount=Decimal(1))
