"""Limits: what may be sent at once, in 24 hours, in 30 days, also by many transfers at once."""

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from adapters.postgres import Database
from adapters.redis import RedisClient
from domain.kernel.ids import UserId
from domain.wallets import Transfer, ledger, limits, previews, transfers
from domain.wallets.errors import InsufficientFunds, LimitExceeded
from domain.wallets.limits import Allowance, EqualLimits
from domain.wallets.model import LimitPeriod, Posted, TransferLimit
from domain.wallets.ports import Sent, SentWithin
from domain.wallets.previews import Previews, PreviewWish
from domain.wallets.recording import record
from tests.users.conftest import Book, book
from tests.users.people import NOW
from tests.wallets.api import WalletApi
from tests.wallets.conftest import BTC, USDT, Bank
from tests.world import DatabaseUrls

__all__ = ["book"]

ALLOWED = Allowance(Decimal(5), Decimal(8), Decimal(10))
LIMITED = EqualLimits({USDT: ALLOWED})


def limited(bank: Bank) -> Bank:
    """The same bank with limits."""
    return Bank(bank.database, clock=bank.clock, limits=LIMITED)


async def send(bank: Bank, sender: UserId, recipient: UserId, amount: str) -> object:
    return await bank.transfers.transfer(bank.wish(sender, recipient, amount))


def exceeded(
    period: LimitPeriod, used: str, remaining: str, resets_at: datetime | None
) -> LimitExceeded:
    limit = {
        LimitPeriod.TRANSFER: ALLOWED.per_transfer,
        LimitPeriod.DAY: ALLOWED.per_day,
        LimitPeriod.MONTH: ALLOWED.per_month,
    }[period]
    assert limit is not None
    return LimitExceeded(USDT, period, limit, Decimal(used), Decimal(remaining), resets_at)


async def test_each_period_has_its_limit(bank: Bank):
    bank = limited(bank)
    ann, bob = await bank.person("100"), await bank.person()

    assert await send(bank, ann, bob, "5.000001") == exceeded(LimitPeriod.TRANSFER, "0", "5", None)
    assert isinstance(await send(bank, ann, bob, "5"), Transfer)
    day = exceeded(LimitPeriod.DAY, "5", "3", NOW + timedelta(hours=24))
    assert await send(bank, ann, bob, "3.000001") == day
    assert isinstance(await send(bank, ann, bob, "3"), Transfer)
    bank.clock.move(hours=24, seconds=1)
    month = exceeded(LimitPeriod.MONTH, "8", "2", NOW + timedelta(days=30))
    assert await send(bank, ann, bob, "2.5") == month
    assert isinstance(await send(bank, ann, bob, "2"), Transfer)
    bank.clock.at = NOW + timedelta(days=30, seconds=1)
    assert isinstance(await send(bank, ann, bob, "5"), Transfer)
    assert await bank.has(bob) == "15 + 0"
    assert await bank.verification.findings() == []


async def test_a_refusal_leaves_nothing_behind(bank: Bank):
    bank = limited(bank)
    ann, bob = await bank.person("100"), await bank.person()
    await send(bank, ann, bob, "5")
    told = [len(await bank.told(who)) for who in (ann, bob)]

    for _ in range(3):
        assert isinstance(await send(bank, ann, bob, "4"), LimitExceeded)

    assert [len(await bank.told(who)) for who in (ann, bob)] == told
    assert (await bank.has(ann), await bank.has(bob)) == ("95 + 0", "5 + 0")
    assert await bank.verification.findings() == []


async def test_a_refusal_is_kept_under_its_key(bank: Bank):
    bank = limited(bank)
    ann, bob = await bank.person("100"), await bank.person()
    await send(bank, ann, bob, "5")
    wish = bank.wish(ann, bob, "4", uuid4())
    first = await bank.transfers.transfer(wish)
    bank.clock.move(days=2)

    again = await bank.transfers.transfer(wish)

    assert isinstance(first, LimitExceeded)
    assert again == first


async def test_many_at_once_do_not_pass_together(database_urls: DatabaseUrls, bank: Bank):
    database = Database(database_urls.app, role="test", pool_size=12)
    try:
        wide = Bank(database, clock=bank.clock, limits=LIMITED)
        ann = await wide.person("100")
        others = [await wide.person() for _ in range(4)]

        answers = await asyncio.gather(*(send(wide, ann, others[n % 4], "1") for n in range(40)))

        assert sum(isinstance(each, Transfer) for each in answers) == 8
        assert {type(each) for each in answers} == {Transfer, LimitExceeded}
        assert await wide.has(ann) == "92 + 0"
        assert await wide.verification.findings() == []
    finally:
        await database.aclose()


async def test_only_what_was_sent_counts(bank: Bank):
    bank = limited(bank)
    ann, bob = await bank.person("100"), await bank.person("100")
    await bank.give(ann, "0.5", BTC)
    await send(bank, bob, ann, "5")
    await bank.holds.reserve(ann, USDT, Decimal(50), reason="withdrawal")
    async with bank.works.begin() as work:
        fee = ledger.fee(ann, USDT, Decimal(7), at=NOW)
        assert isinstance(await record(work, fee), Posted)

    sent = await bank.books.sent(ann, USDT, now=NOW)

    assert sent == Sent()
    assert isinstance(await send(bank, ann, bob, "5"), Transfer)
    assert await bank.books.sent(ann, USDT, now=NOW) == Sent(
        SentWithin(Decimal(5), NOW), SentWithin(Decimal(5), NOW)
    )
    assert await bank.books.sent(ann, BTC, now=NOW) == Sent()


async def test_a_long_history_is_searched_and_not_read(bank: Bank):
    ann, bob = await bank.person("100"), await bank.person()
    for _ in range(40):
        await send(bank, ann, bob, "1")
        bank.clock.move(days=1)

    for days in (0, 1, 29, 30, 31, 39, 40, 69, 70, 200):
        now = NOW + timedelta(days=days)
        # Only what was before: nobody asks about the past, and numbers must not depend on it.
        sent = await bank.books.sent(ann, USDT, now=now + timedelta(microseconds=1))
        within = [n for n in range(40) if timedelta(days=n) > timedelta(days=days - 30)]
        assert sent.month.amount == len(within), days
        oldest = NOW + timedelta(days=within[0]) if within else None
        assert sent.month.oldest_at == oldest, days


async def test_what_is_not_named_may_not_be_sent(bank: Bank):
    bank = limited(bank)
    ann, bob = await bank.person("1", BTC), await bank.person()
    wish = bank.wish(ann, bob, "0.5")

    answer = await bank.transfers.transfer(type(wish)(ann, bob, BTC, Decimal("0.5"), uuid4()))

    assert answer == LimitExceeded(BTC, LimitPeriod.TRANSFER, Decimal(0), Decimal(0), Decimal(0))
    assert await bank.has(ann, BTC) == "1 + 0"


async def test_a_fee_counts_as_what_it_is_paid_for(bank: Bank, monkeypatch: pytest.MonkeyPatch):
    for rules in (transfers, previews):
        monkeypatch.setattr(rules, "FEE", Decimal("0.5"))
    bank = limited(bank)
    ann, bob = await bank.person("100"), await bank.person()
    shown = Previews(
        books=bank.books, assets=bank.assets, recipients=bank.recipients, look_ups=bank.look_ups,
        limits=bank.limits, clock=bank.clock,
    )  # fmt: skip

    async def foreseen(amount: str) -> object:
        """What the preview objects to; the transfer must answer the same."""
        preview = await shown.transfer(ann, PreviewWish(bob, USDT, Decimal(amount)))
        answer = await send(bank, ann, bob, amount)
        assert list(preview.obstacles) == ([] if isinstance(answer, Transfer) else [answer])
        return answer

    # Five may leave at once: half of one is the fee's.
    at_once = exceeded(LimitPeriod.TRANSFER, "0", "5", None)
    assert await foreseen("4.500001") == at_once
    assert isinstance(await foreseen("4.5"), Transfer)
    day = exceeded(LimitPeriod.DAY, "5", "3", NOW + timedelta(hours=24))
    assert await foreseen("2.500001") == day
    assert isinstance(await foreseen("2.5"), Transfer)
    spent = SentWithin(Decimal(8), NOW)
    assert await bank.books.sent(ann, USDT, now=NOW) == Sent(spent, spent)
    bank.clock.move(hours=24, seconds=1)
    month = exceeded(LimitPeriod.MONTH, "8", "2", NOW + timedelta(days=30))
    assert await foreseen("1.500001") == month
    assert isinstance(await foreseen("1.5"), Transfer)
    assert (await bank.has(ann), await bank.has(bob)) == ("90 + 0", "8.5 + 0")
    assert await bank.verification.findings() == []


async def test_too_little_money_is_told_before_a_rolling_limit(bank: Bank):
    bank = limited(bank)
    ann, bob = await bank.person("6"), await bank.person()
    await send(bank, ann, bob, "5")

    assert await send(bank, ann, bob, "4") == InsufficientFunds(USDT, Decimal(1))


async def test_limits_are_shown_as_they_are_used(
    book: Book,
    bank: Bank,
    redis_client: RedisClient,  # the fixtures
):
    api = WalletApi(book, bank, redis_client, limits=LIMITED)
    ann = await api.person("ann", "100")
    await api.person("bob")
    await api.send(ann, "bob@example.org", "4.5")
    query = """{ viewer { transferLimits(asset: "USDT") {
        asset period limit used remaining resetsAt } } }"""

    shown = (await api.data(query, ann))["viewer"]["transferLimits"]
    answer = await api.change(
        ann, "transferFunds",
        "__typename } ... on LimitExceeded { period limit used remaining resetsAt",
        recipient={"email": "bob@example.org"}, asset="USDT", amount="4",
        idempotencyKey=str(uuid4()),
    )  # fmt: skip

    day = {"period": "DAY", "limit": "8", "used": "4.5", "remaining": "3.5",
           "resetsAt": "2026-11-23T15:00:00.000Z"}  # fmt: skip
    assert shown == [
        {"asset": "USDT", "period": "TRANSFER", "limit": "5", "used": "0", "remaining": "5",
         "resetsAt": None},
        {"asset": "USDT", **day},
        {"asset": "USDT", "period": "MONTH", "limit": "10", "used": "4.5", "remaining": "5.5",
         "resetsAt": "2026-12-22T15:00:00.000Z"},
    ]  # fmt: skip
    assert {name: answer[name] for name in day} == day


@pytest.mark.parametrize(
    ("allowed", "count"),
    [(Allowance(), 0), (Allowance(per_day=Decimal(1)), 1), (ALLOWED, 3)],
)
def test_no_limit_is_not_a_limit(allowed: Allowance, count: int):
    assert len(limits.standing(USDT, allowed, Sent())) == count
    huge = Decimal(10) ** 19
    assert (limits.problem(USDT, huge, allowed, Sent()) is None) is (count == 0)


def test_less_than_nothing_never_remains():
    # Limits can be lowered below what was used.
    assert TransferLimit(USDT, LimitPeriod.DAY, Decimal(1), Decimal(5)).remaining == 0
