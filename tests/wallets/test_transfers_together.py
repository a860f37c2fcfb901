"""INV-07: whatever happens at the same time, money is neither made nor lost."""

import asyncio
import random

import pytest

from adapters.postgres import Database
from domain.wallets import Chain, Transfer, TransferFunds
from domain.wallets.errors import InsufficientFunds
from tests.wallets.conftest import Bank
from tests.world import DatabaseUrls

TASKS = 32
EACH = 8


@pytest.fixture
async def wide(database_urls: DatabaseUrls, bank: Bank):
    """The same bank with a connection for every second task."""
    database = Database(database_urls.app, role="test", pool_size=16)
    yield Bank(database)
    await database.aclose()


async def test_inv_07_random_pairs_keep_the_total(wide: Bank):
    dice = random.Random(7)  # noqa: S311  # the same every time
    people = [await wide.person("20") for _ in range(6)]

    def wish() -> TransferFunds:
        sender, recipient = dice.sample(people, 2)
        return wide.wish(sender, recipient, f"{dice.randint(0, 11)}.{dice.randint(1, 999_999):06}")

    async def send(wishes: list[TransferFunds]) -> list[object]:
        # A Conflict would be a deadlock, and fails the test.
        return [await wide.transfers.transfer(each) for each in wishes]

    sent = await asyncio.gather(*(send([wish() for _ in range(EACH)]) for _ in range(TASKS)))

    answers = [answer for each in sent for answer in each]
    assert len(answers) == TASKS * EACH
    assert {type(each) for each in answers} == {Transfer, InsufficientFunds}
    balances = [await wide.balance(person) for person in people]
    assert sum(each.available for each in balances) == 120
    assert min(each.available for each in balances) >= 0
    done = sum(isinstance(each, Transfer) for each in answers)
    told = [len(await wide.told(person)) for person in people]
    assert sum(told) == 2 * done + len(people)
    assert await wide.verification.findings() == []


async def test_sealing_goes_on_beside_posting(wide: Bank):
    ann, bob = await wide.person("50"), await wide.person("50")
    sealed = 0

    async def back_and_forth() -> None:
        for _ in range(EACH):
            await wide.transfers.transfer(wide.wish(ann, bob, "1"))
            await wide.transfers.transfer(wide.wish(bob, ann, "1"))

    async def seal() -> int:
        return sum([await wide.sealing.seal(now=wide.clock.now(), limit=5) for _ in range(6)])

    results = await asyncio.gather(*(back_and_forth() for _ in range(4)), seal(), seal())
    sealed = sum(each for each in results if each is not None)
    sealed += await Chain(wide.sealing, wide.clock).seal_all()

    assert sealed == 2 + 4 * EACH * 2
    assert await wide.has(ann) == "50 + 0"
    assert await wide.verification.findings() == []


async def test_first_deposits_at_once_open_one_wallet(wide: Bank):
    people = [await wide.person() for _ in range(12)]

    await asyncio.gather(*(wide.give(each, "1") for each in people for _ in range(6)))

    assert {await wide.has(each) for each in people} == {"6 + 0"}
    assert await wide.verification.findings() == []
