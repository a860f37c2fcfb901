"""What was sent since a moment: a plain sum however lines lie in time, and in a few looks."""

import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import pytest

from domain.kernel.ids import UserId, new_uuid7
from domain.wallets.model import available
from tests.users.people import NOW
from tests.wallets.conftest import USDT, Bank
from tests.world import DatabaseUrls

Dice = random.Random
Gap = Callable[[Dice, int], float]

# Seconds from one line to the next.
SHAPES: dict[str, Gap] = {
    "even": lambda _dice, _n: 60,
    "as they like": lambda dice, _n: dice.expovariate(1 / 600),
    "busy hours": lambda dice, n: 3600 if n % 50 == 0 else dice.random(),
    "ever more": lambda _dice, n: 1e6 / (n + 1) ** 1.3,
    "ever less": lambda _dice, n: n**2 / 100,
    "a burst after years": lambda _dice, n: 1e8 if n == 5 else 0.5,
    "a burst, then silence": lambda _dice, n: 1e8 if n == 1990 else 0.5,
    "all at once": lambda _dice, _n: 0,
}
_LINES = """
    WITH given AS (
        SELECT row_number() OVER () AS n, at, sends
        FROM unnest($3::timestamptz[], $4::boolean[]) AS g (at, sends)
    ), entered AS (
        INSERT INTO wallets.entry (id, kind, at, source, details)
        SELECT gen_random_uuid(), CASE WHEN sends THEN 'TRANSFER' ELSE 'FEE' END, at,
            $1::uuid::text || ' ' || n, '{}'
        FROM given ORDER BY n RETURNING position, kind, source
    )
    INSERT INTO wallets.posting
        (position, line, account_id, owner, asset, amount, seq, balance, kind, sent)
    SELECT e.position, l.line, l.account, CASE WHEN l.line = 1 THEN $2::uuid END, 'USDT',
        CASE l.line WHEN 1 THEN -1 ELSE 1 END, CASE WHEN l.line = 1 THEN n END,
        CASE WHEN l.line = 1 THEN 1000000 - n END, e.kind,
        CASE WHEN l.line = 1
            THEN count(*) FILTER (WHERE sends) OVER (PARTITION BY l.line ORDER BY n) END
    FROM entered e JOIN given ON e.source = $1::uuid::text || ' ' || n
    CROSS JOIN (VALUES (1, $1::uuid), (2, gen_random_uuid())) AS l (line, account)
"""
_TOTAL = """
    INSERT INTO wallets.balance (account_id, amount, last_seq, frozen, sent)
    SELECT account_id, 1, max(seq), false, max(sent)
    FROM wallets.posting WHERE account_id = $1 GROUP BY 1
"""
_PLAINLY = """
    SELECT coalesce(sum(-p.amount), 0) AS amount, min(e.at) AS oldest_at
    FROM wallets.posting p JOIN wallets.entry e ON e.position = p.position
    WHERE p.account_id = $1 AND p.kind = 'TRANSFER' AND e.at > $2
"""
_SENT = "SELECT * FROM wallets.sent_since($1, $2)"


@pytest.fixture
async def owner(bank: Bank, database_urls: DatabaseUrls) -> AsyncIterator[asyncpg.Connection]:
    del bank  # whose assets there are
    connection = await asyncpg.connect(database_urls.owner)
    yield connection
    await connection.close()


async def lines(
    owner: asyncpg.Connection, dice: Dice, gap: Gap, *, count: int, sending: float
) -> tuple[UUID, list[datetime]]:
    """An account, and the times of its lines: each is committed up to a minute late."""
    somebody = UserId(new_uuid7())
    account = available(somebody, USDT).id
    committed, times = NOW, []
    for n in range(count):
        committed += timedelta(seconds=gap(dice, n))
        times.append(committed - timedelta(seconds=dice.choice((0, 0, 0, 5, 58))))
    sends = [dice.random() < sending for _ in times]
    await owner.execute(_LINES, account, somebody, times, sends)
    await owner.execute(_TOTAL, account)
    await owner.execute("ANALYZE wallets.entry, wallets.posting")
    return account, times


@pytest.mark.parametrize("sending", [0.9, 0.01])
@pytest.mark.parametrize("shape", SHAPES)
async def test_it_is_a_plain_sum_however_lines_lie_in_time(
    owner: asyncpg.Connection, shape: str, sending: float
):
    dice = random.Random(shape)  # noqa: S311  # the same every time
    for count in (31, 33, 2000):
        account, times = await lines(owner, dice, SHAPES[shape], count=count, sending=sending)
        near = [*dice.sample(times, 20), times[0], times[-1]]
        bounds = [at + timedelta(seconds=s) for at in near for s in (-61, -1, 0, 1, 61)]
        for bound in [*bounds, NOW - timedelta(days=1), times[-1] + timedelta(days=1)]:
            found = await owner.fetchrow(_SENT, account, bound)
            plain = await owner.fetchrow(_PLAINLY, account, bound)
            assert found["amount"] == plain["amount"], (count, bound)
            if plain["oldest_at"] is None:
                assert found["oldest_at"] is None, (count, bound)
            else:
                # By number the first, by time at most as late as commands are.
                late = found["oldest_at"] - plain["oldest_at"]
                assert timedelta() <= late <= timedelta(minutes=1), (count, bound)


@pytest.mark.parametrize("shape", SHAPES)
async def test_it_takes_few_looks_however_lines_lie_in_time(owner: asyncpg.Connection, shape: str):
    dice = random.Random(shape)  # noqa: S311  # the same every time
    count = 8000
    account, times = await lines(owner, dice, SHAPES[shape], count=count, sending=0.5)

    for at in dice.sample(times, 6):  # After so many PostgreSQL plans no more.
        await owner.fetchrow(_SENT, account, at)

    for at in dice.sample(times, 5):
        crowd = sum(abs(each - at) < timedelta(minutes=5) for each in times)
        explained = await owner.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {_SENT}", account, at
        )
        (buffers,) = [line for (line,) in explained[:2] if "Buffers:" in line]
        pages = int(buffers.partition("hit=")[2].split()[0])
        # Lines of about that time are read one by one; all others cost six pages a look.
        assert pages < 250 + 2 * crowd, (at, crowd)
