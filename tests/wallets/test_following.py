"""Wallets followed live: the current state, then every change, exactly and in order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from adapters.postgres import Database
from domain.events import EventStreams
from domain.kernel.events import NewEvent, stream_of_user
from domain.kernel.ids import UserId
from domain.kernel.money import plain
from domain.wallets import FollowedWallets
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import Balance, Hold, Wallet, available
from domain.wallets.ports import Books
from tests.users.api import Bell
from tests.users.doubles import SetClock
from tests.users.people import NOW
from tests.wallets.conftest import BTC, USDT, Bank
from tests.world import DatabaseUrls


class Follower:
    """Somebody who follows a bank's wallets."""

    def __init__(
        self, bank: Bank, books: Books | None = None, clock: SetClock | None = None
    ) -> None:
        self.bell = Bell()
        self.wallets = FollowedWallets(
            books=books or bank.books,
            assets=bank.assets,
            events=EventStreams(bank.log, self.bell, look_every_seconds=0.01),
            clock=clock or bank.clock,
        )

    async def follow(self, owner: UserId, asset: str | None = None) -> AsyncGenerator[Wallet, None]:
        found = await self.wallets.follow(owner, asset)
        assert isinstance(found, AsyncGenerator), found
        return found


def shown(wallet: Wallet) -> str:
    return f"{wallet.asset} {plain(wallet.available)} + {plain(wallet.held)}"


async def take(source: AsyncGenerator[Wallet, None], count: int) -> list[Wallet]:
    async with asyncio.timeout(30):
        return [await anext(source) for _ in range(count)]


async def test_the_current_wallets_come_at_once_then_each_change(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()
    await bank.give(ann, "2", BTC)
    follower = Follower(bank)

    async with aclosing(await follower.follow(ann)) as source:
        now = await take(source, 2)
        await bank.transfers.transfer(bank.wish(ann, bob, "3"))
        hold = await bank.holds.reserve(ann, USDT, Decimal(4), reason="order")
        assert isinstance(hold, Hold)
        await bank.holds.post(hold.id, to=available(bob, USDT), amount=Decimal(1))
        await bank.give(ann, "0.5", BTC)
        follower.bell.ring()
        changes = await take(source, 4)

    assert list(map(shown, now)) == ["BTC 2 + 0", "USDT 10 + 0"]
    assert list(map(shown, changes)) == [
        "USDT 7 + 0", "USDT 3 + 4", "USDT 6 + 0", "BTC 2.5 + 0",
    ]  # fmt: skip
    assert {each.owner for each in now + changes} == {ann}


async def test_a_side_that_an_entry_left_alone_is_what_it_was(bank: Bank):
    ann = await bank.person("10")
    await bank.holds.reserve(ann, USDT, Decimal(4), reason="order")
    follower = Follower(bank)

    async with aclosing(await follower.follow(ann)) as source:
        (now,) = await take(source, 1)
        await bank.give(ann, "1")  # tells nothing of what is held
        follower.bell.ring()
        (after,) = await take(source, 1)

    assert [shown(now), shown(after)] == ["USDT 6 + 4", "USDT 7 + 4"]


async def test_a_first_deposit_opens_a_wallet(bank: Bank):
    ann = await bank.person()
    follower = Follower(bank)

    async with aclosing(await follower.follow(ann)) as source:
        await bank.give(ann, "1", BTC)
        follower.bell.ring()
        (opened,) = await take(source, 1)

    assert shown(opened) == "BTC 1 + 0"


async def test_one_asset_alone_is_there_even_when_it_never_was(bank: Bank):
    ann = await bank.person("10")
    follower = Follower(bank)

    async with aclosing(await follower.follow(ann, "BTC")) as source:
        (now,) = await take(source, 1)
        await bank.give(ann, "1")  # another asset
        await bank.give(ann, "2", BTC)
        follower.bell.ring()
        (after,) = await take(source, 1)

    assert [shown(now), shown(after)] == ["BTC 0 + 0", "BTC 2 + 0"]


async def test_an_asset_nobody_holds_is_unknown(bank: Bank):
    ann = await bank.person("10")

    assert await Follower(bank).wallets.follow(ann, "NOPE") == UnknownAsset("NOPE")


async def test_freezing_is_told_and_changes_no_balance(bank: Bank):
    ann = await bank.person("10")
    follower = Follower(bank)

    async with aclosing(await follower.follow(ann)) as source:
        await take(source, 1)
        async with bank.works.begin() as work:
            # The word of the back office's event.
            work.events.append(NewEvent(stream_of_user(ann), "wallet.frozen", {"asset": "USDT"}))
        follower.bell.ring()
        (after,) = await take(source, 1)

    assert (shown(after), after.frozen) == ("USDT 10 + 0", True)


async def journal(urls: DatabaseUrls, owner: UserId) -> list[str]:
    """Every balance of what was available, in the order of the ledger."""
    connection = await asyncpg.connect(urls.owner)
    try:
        rows = await connection.fetch(
            "SELECT balance FROM wallets.posting WHERE account_id = $1 ORDER BY seq",
            available(owner, USDT).id,
        )
    finally:
        await connection.close()
    return [plain(row["balance"]) for row in rows]


@pytest.fixture
async def wide(database_urls: DatabaseUrls, bank: Bank):
    """The same bank with more connections."""
    database = Database(database_urls.app, role="test", pool_size=12)
    yield Bank(database)
    await database.aclose()


async def test_under_concurrent_transfers_the_sequence_is_the_ledgers(
    wide: Bank, database_urls: DatabaseUrls
):
    ann = await wide.person("100")
    others = [await wide.person("50") for _ in range(4)]
    follower = Follower(wide)

    async def back_and_forth(other: UserId) -> None:
        for _ in range(6):
            await wide.transfers.transfer(wide.wish(ann, other, "0.75"))
            await wide.transfers.transfer(wide.wish(other, ann, "0.5"))

    async with aclosing(await follower.follow(ann)) as source, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(take(source, 1 + 4 * 12))
        await follower.bell.followed.wait()
        work = [tasks.create_task(back_and_forth(other)) for other in others]
        await asyncio.wait(work)
        follower.bell.ring()

    heard = [plain(each.available) for each in following.result()]
    assert heard == await journal(database_urls, ann)


async def test_whoever_comes_back_goes_on_with_what_is_there(
    wide: Bank, database_urls: DatabaseUrls
):
    ann, bob = await wide.person("100"), await wide.person()
    follower = Follower(wide)
    lives: list[list[str]] = []

    async def spend() -> None:
        for _ in range(40):
            await wide.transfers.transfer(wide.wish(ann, bob, "1"))
            follower.bell.ring()

    async with asyncio.TaskGroup() as tasks:
        spending = tasks.create_task(spend())
        # Cut off again and again, in the middle of it; every life begins with a fresh look.
        while not spending.done():
            async with aclosing(await follower.follow(ann)) as source:
                lives.append([plain(each.available) for each in await take(source, 1)])
                if not spending.done() and lives[-1] != ["60"]:
                    lives[-1] += [plain(each.available) for each in await take(source, 1)]

    ledger = await journal(database_urls, ann)
    heard = [balance for life in lives for balance in life]
    # Nothing that never was, nothing from before what was heard already.
    assert set(heard) <= set(ledger)
    assert sorted(heard, key=Decimal, reverse=True) == heard
    for life in lives:
        begin = ledger.index(life[0])
        assert ledger[begin : begin + len(life)] == life


class Meanwhile:
    """Books that something happens around, while they are read."""

    def __init__(self, books: Books, happens: Callable[[], Awaitable[object]]) -> None:
        self._books = books
        self._happens = happens

    def __getattr__(self, name: str) -> object:
        return getattr(self._books, name)

    async def balances(self, owners: Sequence[UserId]) -> Mapping[UserId, Sequence[Balance]]:
        await self._happens()
        await self._happens()
        found = await self._books.balances(owners)
        await self._happens()
        return found


async def test_what_happens_while_the_first_look_is_taken_is_neither_lost_nor_told_twice(
    bank: Bank,
):
    ann, bob = await bank.person("10"), await bank.person()
    follower = Follower(
        bank,
        Meanwhile(bank.books, lambda: bank.transfers.transfer(bank.wish(ann, bob, "1"))),  # type: ignore[arg-type]  # the rest is passed on
    )

    async with aclosing(await follower.follow(ann)) as source:
        (now,) = await take(source, 1)
        await bank.give(ann, "0.5")
        follower.bell.ring()
        (after,) = await take(source, 1)

    # Never 9 or 8, which were true once and are not any more.
    assert [shown(now), shown(after)] == ["USDT 7 + 0", "USDT 7.5 + 0"]


async def test_others_hear_nothing(bank: Bank):
    ann, bob, eve = await bank.person("10"), await bank.person("10"), await bank.person("1")
    follower = Follower(bank)

    async with aclosing(await follower.follow(eve)) as source:
        now = await take(source, 1)
        await bank.transfers.transfer(bank.wish(ann, bob, "3"))
        await bank.holds.reserve(bob, USDT, Decimal(1), reason="order")
        await bank.give(eve, "0.25")
        follower.bell.ring()
        # The first she hears of is her own.
        after = await take(source, 1)

    assert list(map(shown, now + after)) == ["USDT 1 + 0", "USDT 1.25 + 0"]
    assert {each.owner for each in now + after} == {eve}


async def test_a_wallet_gets_no_older(bank: Bank):
    ann = await bank.person("10")
    follower = Follower(bank, clock=SetClock(NOW + timedelta(seconds=1)))

    async with aclosing(await follower.follow(ann)) as source:
        (now,) = await take(source, 1)
        await bank.give(ann, "1")  # by a process whose clock is behind
        bank.clock.move(seconds=5)
        await bank.give(ann, "1")
        follower.bell.ring()
        changes = await take(source, 2)

    ahead = NOW + timedelta(seconds=1)
    assert [each.as_of for each in (now, *changes)] == [ahead, ahead, NOW + timedelta(seconds=5)]
