"""Holds that nobody resolves: finding them, and giving back what they keep."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput, NotFound
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.kernel.viewer import Viewer
from domain.wallets.desk.errors import OwnMoney
from domain.wallets.desk.ports import DeskWork, DeskWorks, HoldPlace, HoldQuery, LedgerBooks
from domain.wallets.desk.staff import log_search, reason_problem, staff_of
from domain.wallets.errors import HoldNotOpen
from domain.wallets.holds import settled
from domain.wallets.model import Hold, HoldId, HoldState

# Whoever placed a younger one may still be at work on it: a venue answers in seconds, and is asked
# again for minutes.
UNTOUCHED_FOR = timedelta(hours=1)
SECONDS_MAX = 366 * 86_400
_LIST = "stuck_holds"


@dataclass(frozen=True, slots=True)
class VoidHold:
    """Give back what a hold keeps, and why."""

    hold_id: HoldId
    reason: str = field(repr=False)


class StuckHolds:
    """Open holds past their time."""

    def __init__(
        self, *, works: DeskWorks, books: LedgerBooks, cursors: CursorSigner, clock: Clock
    ) -> None:
        self._works = works
        self._books = books
        self._cursors = cursors
        self._clock = clock

    async def page(
        self,
        viewer: Viewer,
        *,
        older_than_seconds: int,
        reason: str | None,
        first: int,
        after: str | None,
    ) -> Page[Hold] | BadInput:
        """Past their expiry, or older than so many seconds; oldest first."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        if not 0 <= older_than_seconds <= SECONDS_MAX:
            return BadInput("olderThanSeconds", f"ask for 0 to {SECONDS_MAX} seconds.")
        place = self._place(after)
        if isinstance(place, BadInput):
            return place
        now = self._clock.now()
        query = HoldQuery(now, now - timedelta(seconds=older_than_seconds), reason)
        found = await self._books.stuck_holds(query, first=size + 1, after=place)
        shown = found[:size]
        async with self._works.begin() as work:
            owners = {hold.owner for hold in shown}
            log_search(work, viewer, owners, by="stuckHolds", found=len(shown))
        edges = [Edge(hold, self._cursor(hold)) for hold in shown]
        return page_of(edges, after=after, more=len(found) > size)

    async def void(
        self, viewer: Viewer, wish: VoidHold
    ) -> Hold | NotFound | HoldNotOpen | OwnMoney | BadInput:
        """Give all of it back to its owner, who is told. Only of a hold that is stuck.

        Raises Unavailable, TimedOut, Conflict.
        """
        problem = reason_problem(wish.reason)
        if problem is not None:
            return problem
        async with self._works.begin() as work:
            hold = await work.ledger.hold(wish.hold_id)
            if hold is None:
                return NotFound("hold", "holdId")
            after = await self._voided(work, viewer, hold)
            details = {"holdId": str(hold.id), "asset": hold.asset, "reason": wish.reason}
            if not isinstance(after, Hold):
                details["code"] = str(after.code)
            denied = not isinstance(after, Hold)
            work.log.add(viewer, hold.owner, "hold.voided", denied=denied, details=details)
        return after

    async def _voided(
        self, work: DeskWork, viewer: Viewer, hold: Hold
    ) -> Hold | HoldNotOpen | OwnMoney | BadInput:
        now = self._clock.now()
        if hold.owner == staff_of(viewer):
            return OwnMoney()
        if hold.state is HoldState.OPEN and not _is_stuck(hold, now):
            return BadInput("holdId", "whoever placed it may still be at work: wait an hour.")
        after = await settled(work, hold.id, HoldState.VOIDED, at=now)
        if isinstance(after, Hold | HoldNotOpen):
            return after
        raise TypeError(f"a void takes from nobody, and was refused: {after}")

    def _place(self, after: str | None) -> HoldPlace | BadInput | None:
        if after is None:
            return None
        opened = self._cursors.open(_LIST, after)
        if isinstance(opened, BadInput):
            return opened
        created_at, _, hold_id = opened.partition("|")
        return datetime.fromisoformat(created_at), HoldId(UUID(hold_id))

    def _cursor(self, hold: Hold) -> str:
        return self._cursors.sign(_LIST, f"{hold.created_at.isoformat()}|{hold.id}")


def _is_stuck(hold: Hold, now: datetime) -> bool:
    expired = hold.expires_at is not None and hold.expires_at <= now
    return expired or hold.created_at <= now - UNTOUCHED_FOR
