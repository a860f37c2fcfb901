"""The ledger's bench: pgbench's words, writers that count, books that always add up."""

import asyncio

import pytest

from adapters.sandbox.servers import Servers
from adapters.supervisor.terminal import StartError
from tests.bench import ledger
from tests.bench.rig.ledger import filling, pgbench, posting, reading
from tests.bench.rig.ledger.filling import FEW, FEW_TRANSFERS, VERY_MANY
from tests.bench.rig.ledger.poster import PEOPLE, POST, TRANSFER
from tests.bench.rig.rounds import Run, Runs

LINES = 4000


def test_pgbench_is_beside_the_server_and_counts(
    breakable_servers: Servers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pgbench, "SCALE", 1)
    tpcb = asyncio.run(pgbench.prepared(breakable_servers))

    seen = tpcb.measured(2, 1.0)

    assert seen["per_second"] > 0
    assert seen["mean_ms"] > 0
    assert seen["server_cpu_us"] > 0
    with pytest.raises(StartError, match="failed"):
        tpcb.measured(0, 1.0)


def test_writers_count_what_is_in_the_journal(breakable_servers: Servers):
    ours = asyncio.run(posting.prepared(breakable_servers, processes=2))

    posts = ours.measured(POST, 2, warm=0.1, seconds=0.5)
    transfers = ours.measured(TRANSFER, 3, warm=0.1, seconds=0.5)

    for seen in (posts, transfers):
        assert seen["per_second"] > 0
        assert 0 < seen["p50_ms"] <= seen["p99_ms"]
        assert seen["client_cpu_us"] > 0
        assert seen["server_cpu_us"] > 0
    assert asyncio.run(ours.wrong()) == []
    assert asyncio.run(ours.entries()) >= PEOPLE + 0.5 * (
        posts["per_second"] + transfers["per_second"]
    )


async def test_filled_books_add_up_and_are_read_in_every_way(breakable_servers: Servers):
    books = await filling.filled(breakable_servers, LINES)

    assert await books.wrong() == []
    assert await books.lines_of(VERY_MANY) > LINES / 4
    # And one deposit of each asset.
    assert FEW_TRANSFERS <= await books.lines_of(FEW) <= FEW_TRANSFERS + 5
    for what in reading.READS:
        for owner in (FEW, VERY_MANY):
            seen = await reading.measured(books, owner, what)
            assert 0 < seen["p50_ms"] <= seen["p99_ms"]


def test_goals_compare_within_a_round():
    figures = {ledger.TPCB: 1000.0, POST: 600.0, TRANSFER: 200.0}
    runs = Runs(Run(1, "8 clients", name, {"per_second": value}) for name, value in figures.items())

    goals = ledger.goals_of(runs, [8], [10, 20])

    assert [goal.measured for goal in goals[:3]] == [0.6, 0.2, 0.2]
    assert [goal.met for goal in goals[:3]] == [True, True, False]
    assert {goal.met for goal in goals[3:]} == {None}
