"""Closing the ledger's days, and showing people that they are counted.

A day is what the chain holds up to a number, not what a clock said: the last entry whose time is
before midnight, and everything sealed before it. So the ledger's proof, the liabilities and the
journal speak of the very same entries, and one that was committed late belongs to the next day.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.errors import UnknownAsset
from domain.wallets.ports import Assets
from domain.wallets.proof_ports import Closing, PublishedDays
from domain.wallets.proofs import (
    DayRoot,
    Leaves,
    Liabilities,
    Step,
    Tree,
    amount_of,
    blinded,
    climbed,
    filled,
    grown,
    nodes_in,
    nonce_of,
    owed_to,
    way_up,
)

GRACE = timedelta(minutes=1)
"""After midnight: what began before it has been committed by then, or never will be."""
_SECRET_BYTES = 32


def midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)


class Days:
    """Closes the days that are over, in their order. Any number of processes may."""

    def __init__(self, *, closing: Closing, clock: Clock) -> None:
        self._closing = closing
        self._clock = clock

    async def close_due(self) -> int:
        """Close every day that is over and sealed; returns how many were closed here.

        Raises BelowZero when somebody has less than nothing, and Unavailable, TimedOut, Conflict:
        days that were closed before that stay closed.
        """
        closed = 0
        last = await self._closing.last()
        day = await self._closing.first_day() if last is None else last.day + timedelta(days=1)
        while day is not None and self._clock.now() >= midnight_after(day) + GRACE:
            if not await self._closing.is_sealed(midnight_after(day)):
                break
            last = await self._close(day, last)
            if last is None:  # somebody else did, and goes on
                break
            closed += 1
            day += timedelta(days=1)
        return closed

    async def _close(self, day: date, before: DayRoot | None) -> DayRoot | None:
        number = await self._closing.last_number(midnight_after(day))
        if before is not None:
            number = max(number, before.last_number)
        secret = secrets.token_bytes(_SECRET_BYTES)
        trees = [tree async for tree in self._trees(day, number, secret)]
        return await self._closing.close(
            day, last_number=number, trees=trees, secret=secret, at=self._clock.now()
        )

    async def _trees(
        self, day: date, last_number: int, secret: bytes
    ) -> AsyncGenerator[Tree, None]:
        """One for each asset anybody ever had, in one pass over the journal."""
        asset: AssetCode | None = None
        totals: list[tuple[UserId, Decimal]] = []
        async with aclosing(self._closing.totals(last_number)) as rows:
            async for code, owner, amount in rows:
                if asset is not None and code != asset:
                    yield await _grown(day, asset, totals, secret)
                    totals = []
                asset = code
                totals.append((owner, amount))
        if asset is not None:
            yield await _grown(day, asset, totals, secret)


async def _grown(
    day: date, asset: AssetCode, totals: Sequence[tuple[UserId, Decimal]], secret: bytes
) -> Tree:
    # Hashing for 100,000 people takes a second and 30 MB: not on the loop.
    return await asyncio.to_thread(tree_of, day, asset, totals, secret)


def tree_of(
    day: date, asset: AssetCode, totals: Sequence[tuple[UserId, Decimal]], secret: bytes
) -> Tree:
    """The tree over what everybody has. Raises BelowZero."""
    owed = (owed_to(secret, asset, owner, amount) for owner, amount in totals)
    return grown(day, asset, filled(owed, secret=secret, asset=asset))


@dataclass(frozen=True, slots=True)
class Leaf:
    """Somebody's own leaf, with what only they are told."""

    id: str
    """The owner, blinded with the nonce."""
    nonce: str
    balance: Decimal
    """Available and held."""


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That somebody's money is part of what a day's total says."""

    day: date
    asset: AssetCode
    leaf: Leaf
    path: tuple[Step, ...]
    """Siblings from the leaf up to the root."""
    root: str
    total: Decimal


class Proofs:
    """Shows what was published, and to each person where they are in it."""

    def __init__(self, *, days: PublishedDays, assets: Assets) -> None:
        self._days = days
        self._assets = assets

    async def day(self, day: date) -> DayRoot | None:
        """Nothing before the day is over and closed. Raises Unavailable, TimedOut."""
        return await self._days.day_root(day)

    async def liabilities(self, day: date) -> Sequence[Liabilities] | None:
        """By asset; nothing before the day is closed. Raises Unavailable, TimedOut."""
        if await self._days.day_root(day) is None:
            return None
        return await self._days.liabilities(day)

    async def inclusion(
        self, owner: UserId, day: date, asset: str
    ) -> InclusionProof | UnknownAsset | None:
        """Nothing before the day is closed, and for who never had any of it by then."""
        known = await self._assets.asset(asset)
        if known is None:
            return UnknownAsset(asset)
        secret = await self._days.secret(day)
        if secret is None:
            return None
        nonce = nonce_of(secret, known.code, owner)
        name = blinded(nonce, owner)
        kept = await self._days.leaf(day, known.code, name)
        place = (
            None
            if kept is None
            else next((n for n, each in enumerate(kept.part) if each.owner == name), None)
        )
        if kept is None or place is None:
            return None
        made = Leaves(day, known.code)
        leaves = [made.leaf(each) for each in kept.part]
        path = (*way_up(leaves, place), *way_up(nodes_in(kept.crowns), kept.number))
        top = climbed(leaves[place], path)
        if top.hash.hex() != kept.published.root:
            raise LookupError("what is kept of the tree does not come to its root")
        return InclusionProof(
            day=day,
            asset=known.code,
            leaf=Leaf(name.hex(), nonce.hex(), amount_of(leaves[place].units)),
            path=path,
            root=kept.published.root,
            total=kept.published.total_liabilities,
        )
