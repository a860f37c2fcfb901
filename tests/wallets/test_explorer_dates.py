"""The journal between two moments, for staff: exact around both, at the cost of a page."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from adapters.postgres import Database
from domain.wallets import ledger
from domain.wallets.desk.model import LedgerEntry
from domain.wallets.desk.ports import EntryQuery
from domain.wallets.model import AccountKind, Posted, available, house
from tests.users.conftest import book
from tests.wallets.conftest import USDT
from tests.wallets.costs import pages_of
from tests.wallets.long_books import grow
from tests.wallets.office import Office, office
from tests.world import DatabaseUrls

__all__ = ["book", "office"]

NUDGES = (None, -61, -1, 0, 1, 61)


async def paged(office: Office, query: EntryQuery) -> list[LedgerEntry]:
    found: list[LedgerEntry] = []
    while True:
        before = found[-1].position if found else None
        page = await office.books.entries(query, first=3, before=before)
        found += page
        if len(page) < 3:
            return found


def between(
    everything: Sequence[LedgerEntry], since: datetime | None, until: datetime | None
) -> list[LedgerEntry]:
    return [
        each
        for each in everything
        if (since is None or each.at >= since) and (until is None or each.at < until)
    ]


async def test_dates_are_exact_also_for_what_was_committed_late(office: Office):
    """A command's time is taken before it waits: positions are in another order by seconds."""
    dice = random.Random(8)  # noqa: S311  # the same every time
    ann, bob = await office.person(amount="100"), await office.person("uid-bob")
    for _ in range(14):
        office.clock.move(seconds=dice.choice((5, 20, 40, 300)))
        late = timedelta(seconds=dice.randrange(58))
        entry = ledger.transfer(ann, bob, USDT, Decimal(1), at=office.clock.now() - late)
        assert isinstance(await office.post(entry), Posted)

    for query in (
        EntryQuery(),
        EntryQuery(owner=bob),
        EntryQuery(account_id=available(ann, USDT).id),
        EntryQuery(account_id=house(AccountKind.FAUCET, USDT).id),
    ):
        everything = await office.books.entries(query, first=100, before=None)
        times = [each.at for each in everything]
        assert len(times) == 1 or times != sorted(times, reverse=True)
        for at in times[::3]:
            for nudge in NUDGES:
                since = None if nudge is None else at + timedelta(seconds=nudge)
                until = at + timedelta(seconds=90)
                asked = EntryQuery(
                    owner=query.owner, account_id=query.account_id, since=since, until=until
                )
                assert await paged(office, asked) == between(everything, since, until), asked


async def test_a_day_long_ago_costs_a_page(
    office: Office, database: Database, database_urls: DatabaseUrls
):
    ann = await office.person(amount="10")
    await office.hold(ann, "1")
    first = office.clock.now()
    await grow(database_urls, ann, 20_000, resolved=True)

    for query in (
        EntryQuery(until=first + timedelta(hours=1)),
        EntryQuery(owner=ann, since=first, until=first + timedelta(hours=1)),
        EntryQuery(account_id=available(ann, USDT).id, until=first + timedelta(hours=1)),
        EntryQuery(since=first + timedelta(days=2)),
    ):

        async def read(query: EntryQuery = query) -> object:
            return await office.books.entries(query, first=21, before=None)

        assert len(await office.books.entries(query, first=21, before=None)) in (0, 2)
        assert await pages_of(database, database_urls, read) < 200, query
