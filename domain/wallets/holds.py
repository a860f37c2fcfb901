"""Reserving money for something under way: placed, then resolved once and for ever.

What another use case reserves within its own transaction, it reserves with ``placed`` and
``settled``; ``Holds`` is the same with a transaction of its own.
"""

from datetime import datetime
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.ids import UserId, new_uuid7
from domain.wallets import ledger
from domain.wallets.errors import BadAmount, HoldTooSmall, Refusal, UnknownAsset, UnknownHold
from domain.wallets.model import Account, Hold, HoldId, HoldState, Posted
from domain.wallets.ports import Assets, Books, Work, Works
from domain.wallets.recording import record


async def placed(work: Work, hold: Hold) -> Hold | Refusal:
    """Place ``hold`` within a work."""
    posted = await record(work, ledger.placing(hold), opens=hold)
    return hold if isinstance(posted, Posted) else posted


async def settled(
    work: Work,
    hold_id: HoldId,
    state: HoldState,
    *,
    at: datetime,
    taken: Decimal | None = None,
    to: Account | None = None,
) -> Hold | Refusal | HoldTooSmall:
    """Resolve a hold within a work. A post takes all of it unless ``taken`` says how much."""
    hold = await work.ledger.hold(hold_id)
    if hold is None:
        return UnknownHold()
    if state is HoldState.POSTED:
        share = hold.amount if taken is None else taken
        after = ledger.resolved(hold, state, at=at, taken=share)
    else:
        after = ledger.resolved(hold, state, at=at)
    if isinstance(after, HoldTooSmall):
        return after
    posted = await record(work, ledger.resolving(after, to=to), resolves=after)
    return after if isinstance(posted, Posted) else posted


class Holds:
    """Reserves and resolves."""

    def __init__(self, *, works: Works, assets: Assets, books: Books, clock: Clock) -> None:
        self._works = works
        self._assets = assets
        self._books = books
        self._clock = clock

    async def reserve(
        self,
        owner: UserId,
        asset: str,
        amount: Decimal,
        *,
        reason: str,
        expires_at: datetime | None = None,
    ) -> Hold | Refusal | UnknownAsset | BadAmount:
        """Take ``amount`` out of what the owner can use, until it is resolved or expires."""
        known = await self._assets.asset(asset)
        if known is None:
            return UnknownAsset(asset)
        checked = ledger.checked_amount(amount, known)
        if isinstance(checked, BadAmount):
            return checked
        hold = Hold(
            id=HoldId(new_uuid7()),
            owner=owner,
            asset=known.code,
            amount=checked,
            reason=reason,
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        async with self._works.begin() as work:
            return await placed(work, hold)

    async def post(
        self, hold_id: HoldId, *, to: Account, amount: Decimal | None = None
    ) -> Hold | Refusal | HoldTooSmall | BadAmount:
        """Give all that is held, or ``amount`` of it, to an account; the rest is free again."""
        if amount is not None:
            problem = await self._problem(hold_id, amount)
            if problem is not None:
                return problem
        async with self._works.begin() as work:
            now = self._clock.now()
            return await settled(work, hold_id, HoldState.POSTED, at=now, taken=amount, to=to)

    async def void(self, hold_id: HoldId) -> Hold | Refusal | HoldTooSmall:
        """Give everything back."""
        async with self._works.begin() as work:
            return await settled(work, hold_id, HoldState.VOIDED, at=self._clock.now())

    async def expire_due(self, *, first: int = 100) -> int:
        """Give back what nobody resolved in time; returns how many holds expired just now."""
        expired = 0
        for hold_id in await self._books.due_holds(now=self._clock.now(), first=first):
            async with self._works.begin() as work:
                after = await settled(work, hold_id, HoldState.EXPIRED, at=self._clock.now())
            # Not open any more: somebody resolved it meanwhile, and was right to.
            expired += isinstance(after, Hold)
        return expired

    async def _problem(self, hold_id: HoldId, amount: Decimal) -> UnknownHold | BadAmount | None:
        # Asked before the transaction: one that waits for a second connection may wait for itself.
        async with self._works.begin() as work:
            hold = await work.ledger.hold(hold_id)
        if hold is None:
            return UnknownHold()
        asset = await self._assets.asset(hold.asset)
        if asset is None:
            raise LookupError("a hold of an asset that is gone")
        checked = ledger.checked_amount(amount, asset)
        return checked if isinstance(checked, BadAmount) else None
