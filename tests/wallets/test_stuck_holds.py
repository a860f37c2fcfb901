"""Holds that nobody resolves: found oldest first, given back by hand, once."""

import asyncio
from decimal import Decimal

from domain.kernel.errors import BadInput, NotFound
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users.model import ActivityResult
from domain.wallets.desk.errors import OwnMoney
from domain.wallets.desk.stuck_holds import VoidHold
from domain.wallets.errors import HoldNotOpen
from domain.wallets.model import AccountKind, Hold, HoldId, HoldState, house
from tests.users.conftest import book
from tests.wallets.conftest import USDT
from tests.wallets.office import WHY, Office, office

__all__ = ["book", "office"]


async def found(
    office: Office,
    viewer: Viewer,
    *,
    older: int = 86_400,
    reason: str | None = None,
    first: int = 100,
) -> list[HoldId]:
    """All pages of them."""
    seen: list[HoldId] = []
    after = None
    while True:
        page = await office.ledger.stuck_holds.page(
            viewer, older_than_seconds=older, reason=reason, first=first, after=after
        )
        assert not isinstance(page, BadInput), page
        seen += [edge.node.id for edge in page.edges]
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            return seen


async def test_what_is_past_its_time_is_found_oldest_first(office: Office):
    ann, staff = await office.person(amount="100"), await office.treasurer()
    holds = []
    for reason in ("order", "withdrawal", "order"):
        holds.append(await office.hold(ann, "1", reason=reason))
        office.clock.move(minutes=30)
    expired = await office.hold(ann, "1", minutes=5)
    alive = await office.hold(ann, "1", minutes=500)
    office.clock.move(minutes=5)
    await office.holds.void(holds[2].id)

    assert await found(office, staff) == [expired.id]
    assert await found(office, staff, older=3600) == [holds[0].id, holds[1].id, expired.id]
    assert await found(office, staff, older=3600, first=1) == [
        holds[0].id, holds[1].id, expired.id,
    ]  # fmt: skip
    assert await found(office, staff, older=3600, reason="withdrawal") == [holds[1].id]
    assert await found(office, staff, older=0) == [
        holds[0].id, holds[1].id, expired.id, alive.id,
    ]  # fmt: skip
    viewed = [line.subject_id for line in await office.lines("ledger.viewed")]
    assert set(viewed) == {ann}


async def test_what_is_asked_for_has_bounds(office: Office):
    staff = await office.treasurer()

    for older in (-1, 31_622_401):
        page = await office.ledger.stuck_holds.page(
            staff, older_than_seconds=older, reason=None, first=1, after=None
        )
        assert isinstance(page, BadInput)
        assert page.argument == "olderThanSeconds"
    forged = await office.ledger.stuck_holds.page(
        staff, older_than_seconds=0, reason=None, first=1, after="AAAA"
    )
    assert isinstance(forged, BadInput)


async def test_a_stuck_hold_is_given_back_once(office: Office):
    ann, staff = await office.person(amount="10"), await office.treasurer()
    hold = await office.hold(ann, "4")
    office.clock.move(hours=1)
    wish = VoidHold(hold.id, WHY)

    answers = await asyncio.gather(
        *(office.ledger.stuck_holds.void(staff, wish) for _ in range(8)),
        office.holds.post(hold.id, to=house(AccountKind.IN_TRANSIT, USDT)),
    )

    winners = [each for each in answers if isinstance(each, Hold)]
    assert len(winners) == 1
    losers = [each for each in answers if each is not winners[0]]
    assert losers == [HoldNotOpen(winners[0].state)] * 8
    assert await office.has(ann) == ("10" if winners[0].state is HoldState.VOIDED else "6")
    assert len(await office.told(ann)) == 3
    results = {line.result for line in await office.lines("hold.voided")}
    assert ActivityResult.DENIED in results
    await office.sound()


async def test_it_is_written_who_gave_it_back_and_why(office: Office):
    ann, staff = await office.person(amount="10"), await office.treasurer()
    hold = await office.hold(ann, "4")
    office.clock.move(hours=1)

    after = await office.ledger.stuck_holds.void(staff, VoidHold(hold.id, WHY))

    assert isinstance(after, Hold)
    assert (after.state, after.resolved_at) == (HoldState.VOIDED, office.clock.now())
    assert await office.has(ann) == "10"
    assert (await office.told(ann))[-1] == "wallet.hold_voided"
    (line,) = await office.lines("hold.voided")
    assert (line.actor_id, line.subject_id) == (staff.user_id, ann)
    assert line.details == {"holdId": str(hold.id), "asset": "USDT", "reason": WHY}


async def test_what_somebody_is_still_at_is_left_to_them(office: Office):
    ann, staff = await office.person(amount="10"), await office.treasurer()
    mine = UserId(staff.user_id)  # type: ignore[arg-type]
    await office.give(mine, "5")
    young, own = await office.hold(ann, "4"), await office.hold(mine, "5")
    office.clock.move(minutes=59)
    short = await office.hold(ann, "1", minutes=1)

    async def answer(hold_id: HoldId, reason: str = WHY) -> object:
        return await office.ledger.stuck_holds.void(staff, VoidHold(hold_id, reason))

    assert isinstance(await answer(young.id), BadInput)
    office.clock.move(minutes=1)
    assert await answer(own.id) == OwnMoney()
    assert await answer(HoldId(own.owner)) == NotFound("hold", "holdId")
    assert isinstance(await answer(young.id, " "), BadInput)
    assert await office.has(ann) == "5"
    assert isinstance(await answer(short.id), Hold)  # a minute old, and its minute is over
    assert isinstance(await answer(young.id), Hold)
    assert await office.has(ann) == "10"
    assert Decimal(await office.has(mine)) == 0
    await office.sound()
