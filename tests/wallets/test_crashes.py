"""Transfers while the database server is killed: nothing lost, nothing doubled, nothing made up."""

import asyncio
import os
import random
import signal
from uuid import UUID

from adapters.postgres import Database
from adapters.sandbox.servers import Servers
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.wallets import Transfer, TransferFunds
from domain.wallets.errors import InsufficientFunds
from tests.wallets.conftest import ASSETS, Bank
from tests.world import create_migrated_database, eventually

TASKS = 8
EACH = 25
KILLED_AFTER = (30, 110)


async def test_a_killed_server_costs_nobody_anything(breakable_servers: Servers):
    urls = await create_migrated_database(breakable_servers, "okd_crashes")
    database = Database(urls.app, role="test", pool_size=TASKS)
    bank = Bank(database)
    for asset in ASSETS:
        await bank.assets.add(asset)
    people = [await bank.person("30") for _ in range(4)]
    answers: dict[TransferFunds, object] = {}
    broken = 0

    async def send(wish: TransferFunds) -> None:
        nonlocal broken
        while wish not in answers:
            try:
                answers[wish] = await bank.transfers.transfer(wish)
            except Failure:  # done or not: the same key says which
                broken += 1
                await asyncio.sleep(0.05)

    async def client(number: int) -> None:
        dice = random.Random(number)  # noqa: S311  # the same every time
        for _ in range(EACH):
            sender, recipient = dice.sample(people, 2)
            await send(bank.wish(sender, recipient, f"{dice.randint(0, 9)}.{dice.randint(1, 9)}"))

    async def killer() -> None:
        for after in KILLED_AFTER:
            await eventually(
                lambda after=after: len(answers) >= after,  # type: ignore[misc]
                within_seconds=60,
            )
            status = breakable_servers.status()
            assert status is not None
            pid = status.servers["postgres"].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(killer())
        for number in range(TASKS):
            tasks.create_task(client(number))

    assert broken > 0
    assert len(answers) == TASKS * EACH
    await proven(bank, people, answers)
    await database.aclose()


async def proven(bank: Bank, people: list[UserId], answers: dict[TransferFunds, object]) -> None:
    """What everybody has is what the answers say, to the last unit; so are the events."""
    expected = dict.fromkeys(people, 30_000_000)
    told = dict.fromkeys(people, 1)
    for wish, answer in answers.items():
        if isinstance(answer, Transfer):
            assert isinstance(wish.recipient, UUID)
            units = int(wish.amount.scaleb(6))
            expected[wish.sender] -= units
            expected[wish.recipient] += units
            told[wish.sender] += 1
            told[wish.recipient] += 1
        else:
            assert isinstance(answer, InsufficientFunds)
    for person in people:
        balance = await bank.balance(person)
        assert int(balance.available.scaleb(6)) == expected[person] >= 0
        events = await bank.told(person)
        assert [event.sequence for event in events] == list(range(1, told[person] + 1))
    assert await bank.verification.findings() == []
