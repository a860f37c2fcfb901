"""The days that were published, against the journal: their line of roots, and what was owed.

Balances are kept while the postings go by in the order of the chain, the journal is not.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.tables.proofs import DayRootRow
from adapters.postgres.wallets.proofs import day_root_of
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain, total
from domain.wallets.ports import Finding
from domain.wallets.proofs import (
    BelowZero,
    DayRoot,
    Liabilities,
    Tree,
    digest_of_liabilities,
    root_of_day,
)
from domain.wallets.proving import tree_of

DAY_RULES = ("wrong_day_root", "wrong_liabilities")
KEPT_RULE = "another_root"
"""Of who brings roots that were kept elsewhere."""
_ROWS_AT_ONCE = 1000

# Without the roots of parts: those of all days are too much to hold.
_LIABILITIES = text(
    "SELECT day, asset, total, root, leaves FROM wallets.liability ORDER BY day, asset"
)
_POSTINGS = text(
    """
    SELECT c.number, p.owner, p.asset, p.amount
    FROM wallets.chain_link c JOIN wallets.posting p ON p.position = c.position
    WHERE p.owner IS NOT NULL AND c.number <= :last
    ORDER BY c.number
    """
)
_KEPT = text(
    """
    SELECT l.crowns, array_agg(p.leaves ORDER BY p.number), array_agg(p.number ORDER BY p.number),
        bool_and(p.first_owner = substring(p.leaves FOR 32))
    FROM wallets.liability l
    JOIN wallets.liability_part p ON p.day = l.day AND p.asset = l.asset
    WHERE l.day = :day AND l.asset = :asset GROUP BY l.crowns
    """
)
_WITHOUT_A_ROOT = text(
    """
    SELECT DISTINCT l.day FROM wallets.liability l
    WHERE NOT EXISTS (SELECT FROM wallets.day_root d WHERE d.day = l.day) ORDER BY l.day
    """
)
_CUT_TOO_LATE = text(
    """
    SELECT d.day FROM wallets.day_root d
    JOIN wallets.chain_link c ON c.number = d.last_number
    JOIN wallets.entry e ON e.position = c.position
    WHERE (e.at AT TIME ZONE 'UTC')::date > d.day AND d.first_number <= d.last_number
    ORDER BY d.day
    """
)

Balances = Mapping[AssetCode, Mapping[UUID, Decimal]]


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A day as it was published, with the secret of its trees."""

    root: DayRoot
    secret: bytes = field(repr=False)
    liabilities: tuple[Liabilities, ...]


async def closed_days(session: AsyncSession) -> list[ClosedDay]:
    """All of them in their order: one for each day since the first entry."""
    owed: dict[date, list[Liabilities]] = defaultdict(list)
    connection = await session.connection()
    for day, asset, amount, root, leaves in (await connection.execute(_LIABILITIES)).all():
        owed[day].append(Liabilities(AssetCode(asset), amount, root.hex(), leaves))
    rows = await session.exec(select(DayRootRow).order_by(col(DayRootRow.day)))
    return [ClosedDay(day_root_of(row), row.secret, tuple(owed.get(row.day, ()))) for row in rows]


def kept_findings(
    days: Sequence[ClosedDay], kept: Sequence[tuple[date, str]], *, first: int
) -> list[Finding]:
    """What does not fit with roots that somebody kept, as a day and lower-case hex each.

    A day's root holds all days before it fast: nothing up to the newest of them can have been
    made anew, or be gone, unless one is found here or by another rule.
    """
    here = {day.root.day: day.root.root for day in days}
    found = [
        Finding(KEPT_RULE, day.isoformat(), f"kept elsewhere {root}, here {here.get(day, 'none')}")
        for day, root in kept
        if here.get(day) != root
    ]
    return found[:first]


async def day_findings(
    connection: AsyncConnection,
    days: Sequence[ClosedDay],
    *,
    links: Mapping[int, bytes],
    first: int,
    every_tree: bool,
) -> list[Finding]:
    """At most ``first`` of each rule; ``links`` are the chain's at each day's last number."""
    orphans = [
        Finding("wrong_liabilities", day.isoformat(), "published without a root")
        for day in (await connection.execute(_WITHOUT_A_ROOT)).scalars()
    ]
    if not days:
        return orphans[:first]
    roots = [
        Finding("wrong_day_root", day.isoformat(), "its last entry is of a later day")
        for day in (await connection.execute(_CUT_TOO_LATE)).scalars()
    ]
    roots += [
        Finding("wrong_day_root", day.root.day.isoformat(), what)
        for before, day in zip([None, *days], days, strict=False)
        if (what := _wrong_about(day, before, links))
    ]
    owed = await _liability_findings(connection, days, every_tree=every_tree)
    return roots[:first] + (orphans + owed)[:first]


def _wrong_about(
    day: ClosedDay, before: ClosedDay | None, links: Mapping[int, bytes]
) -> str | None:
    """The first thing that does not fit; nothing when all does."""
    told = day.root
    expected = root_of_day(
        told.day,
        first_number=told.first_number,
        last_number=told.last_number,
        link=told.link,
        liabilities=told.liabilities,
        previous_root=told.previous_root,
    )
    checks = {
        "it is not the hash of what it holds": told.root == expected,
        "the chain has another link there": links.get(told.last_number, b"").hex() == told.link,
        "what was owed has another digest": digest_of_liabilities(day.liabilities)
        == told.liabilities,
        "it does not follow the day before": told.previous_root == (before and before.root.root)
        and told.first_number == (before.root.last_number if before else 0) + 1
        and (before is None or told.day == before.root.day + timedelta(days=1)),
    }
    return next((what for what, fits in checks.items() if not fits), None)


async def _liability_findings(
    connection: AsyncConnection, days: Sequence[ClosedDay], *, every_tree: bool
) -> list[Finding]:
    found: list[Finding] = []
    balances: dict[AssetCode, dict[UUID, Decimal]] = defaultdict(dict)
    waiting = iter(days)
    day = next(waiting, None)
    rows = await connection.stream(
        _POSTINGS,
        {"last": days[-1].root.last_number},
        execution_options={"yield_per": _ROWS_AT_ONCE},
    )
    async for number, owner, asset, amount in rows:
        while day is not None and number > day.root.last_number:
            found += await _compared(connection, day, balances, trees=every_tree)
            day = next(waiting, None)
        of_asset = balances[asset]
        of_asset[owner] = total((of_asset.get(owner, Decimal(0)), amount))
    while day is not None:
        last = day is days[-1]
        found += await _compared(connection, day, balances, trees=every_tree or last)
        day = next(waiting, None)
    return found


async def _compared(
    connection: AsyncConnection, day: ClosedDay, balances: Balances, *, trees: bool
) -> list[Finding]:
    """What was published of a day against what the journal comes to at its end."""
    found: list[Finding] = []
    published = {each.asset: each for each in day.liabilities}
    for asset in sorted(published.keys() | balances.keys()):
        subject = f"{day.root.day.isoformat()} {asset}"
        owners, told = balances.get(asset, {}), published.get(asset)
        summed = total(owners.values())
        if told is None or told.total_liabilities != summed:
            said = "nothing" if told is None else plain(told.total_liabilities)
            what = f"published {said}, journal {plain(summed)}"
            found.append(Finding("wrong_liabilities", subject, what))
        elif trees:
            tree = await _tree(day, asset, owners)
            if tree is None or tree.published != told:
                found.append(Finding("wrong_liabilities", subject, "the tree has another root"))
            elif not await _is_kept(connection, day.root.day, tree):
                # Its root is right and its leaves are not: nobody could be shown a path.
                found.append(Finding("wrong_liabilities", subject, "its leaves are kept otherwise"))
    return found


async def _tree(day: ClosedDay, asset: AssetCode, owners: Mapping[UUID, Decimal]) -> Tree | None:
    """Nothing when it cannot be: somebody has less than nothing."""
    totals = [(UserId(owner), amount) for owner, amount in owners.items()]
    try:
        return await asyncio.to_thread(tree_of, day.root.day, asset, totals, day.secret)
    except BelowZero:
        return None


async def _is_kept(connection: AsyncConnection, day: date, tree: Tree) -> bool:
    """Whether parts and what finds them are kept as the tree has them."""
    asset = tree.published.asset
    kept = (await connection.execute(_KEPT, {"day": day, "asset": asset})).one_or_none()
    if kept is None:
        return not tree.parts
    crowns, parts, numbers, found_by_owner = kept
    in_order = numbers == list(range(len(tree.parts)))
    return crowns == tree.crowns and tuple(parts) == tree.parts and in_order and found_by_owner
