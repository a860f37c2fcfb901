"""Whatever is sent whenever: one call allows what the long way allows, and writes it the same."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from unittest import mock

import asyncpg
import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.postgres import Database
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.money import plain
from domain.wallets import Transfer, transfers
from domain.wallets.model import EntryId
from tests.wallets.both_ways import ANN, BOB, KEY, LIMITED, TheLongWay, Way, going
from tests.wallets.conftest import ASSETS, Bank
from tests.world import DatabaseUrls


@contextmanager
def running() -> Iterator[asyncio.Runner]:
    """A loop of hypothesis's own: its examples are no coroutines."""
    with asyncio.Runner() as runner:
        yield runner


AMOUNTS = ["0.000001", "1.5", "2.499999", "2.5", "2.500001", "3", "4.500001", "5", "5.000001"]
PAUSES = [
    timedelta(0), timedelta(hours=12), timedelta(hours=24) - timedelta(microseconds=1),
    timedelta(hours=24), timedelta(days=15), timedelta(days=29),
    timedelta(days=30) - timedelta(microseconds=1), timedelta(days=30),
]  # fmt: skip
steps = st.tuples(st.sampled_from(AMOUNTS), st.sampled_from(PAUSES))


def test_limits_are_no_kinder_and_no_stricter_in_one_call(database_urls: DatabaseUrls):
    async def told(database: Database, way: Way, story: list[tuple[str, timedelta]]) -> object:
        bank = Bank(database, limits=LIMITED)
        for asset in ASSETS:
            await bank.assets.add(asset)
        ann, bob = await bank.person("20"), UserId(new_uuid7())
        told: list[object] = []
        for amount, pause in story:
            wish = bank.wish(ann, bob, amount)
            try:
                answer = await going(bank, way).transfer(wish)
            except TheLongWay:
                answer = await going(bank, Way.LONG).transfer(wish)
                # Strict where the long way is not, one call would be of no use, and nobody see it.
                assert not isinstance(answer, Transfer)
            told.append(
                replace(answer, entry_id=EntryId(KEY), sender=ANN, recipient=BOB)
                if isinstance(answer, Transfer)
                else answer
            )
            bank.clock.move(microseconds=pause // timedelta(microseconds=1))
        return told, await bank.has(ann), await bank.has(bob)

    async def both(story: list[tuple[str, timedelta]]) -> list[object]:
        database = Database(database_urls.app, role="test", pool_size=1)
        answers = [await told(database, way, story) for way in (Way.SHORT, Way.LONG)]
        await database.aclose()
        return answers

    with running() as runner:

        @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(story=st.lists(steps, min_size=1, max_size=7), fee=st.sampled_from(["0", "0.5"]))
        def same(story: list[tuple[str, timedelta]], fee: str) -> None:
            with mock.patch.object(transfers, "FEE", Decimal(fee)):
                short, long = runner.run(both(story))
            assert short == long

        same()


def test_numbers_are_written_alike_by_the_database(database_urls: DatabaseUrls):
    """What is left of a wallet: of the database's making on one way, of ours on the other."""

    async def filled(values: list[Decimal]) -> list[str]:
        owner = await asyncpg.connect(database_urls.owner)
        query = """
            SELECT wallets.filled('{"left": null, "kept": "1.0"}', '{"left": "an account"}',
                jsonb_build_object('an account', jsonb_build_array(v.amount::text, 7)))::text
            FROM unnest($1::numeric(38,18)[]) AS v (amount)
        """
        found = [orjson.loads(row[0]) for row in await owner.fetch(query, values)]
        await owner.close()
        assert {each["kept"] for each in found} == {"1.0"}
        return [each["left"] for each in found]

    amounts = st.decimals(0, Decimal(10) ** 20 - 1, places=18) | st.integers(0, 10**20 - 1).map(
        Decimal
    )
    with running() as runner:

        @settings(max_examples=30, deadline=None)
        @given(values=st.lists(amounts, min_size=1))
        def same(values: list[Decimal]) -> None:
            assert runner.run(filled(values)) == [plain(each) for each in values]

        same()
