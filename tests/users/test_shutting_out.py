"""Firebase is told of who was shut out, however long it was away; and only of those."""

from datetime import timedelta

import pytest

from domain.kernel.events import Event
from domain.kernel.failures import Unavailable
from domain.kernel.viewer import Viewer
from domain.users import TokenRevocation
from domain.users.ports import FirebaseAccount
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW

REASON = "ticket 42"


@pytest.fixture
def consumer(book: Book) -> TokenRevocation:
    return TokenRevocation(book.accounts, book.firebase)


def known(book: Book, uid: str, *, revoked_ago: timedelta) -> None:
    """Firebase has revoked last so long before the present."""
    book.firebase.accounts[uid] = FirebaseAccount(
        disabled=False, valid_since=NOW - revoked_ago, second_factors={}
    )


async def test_what_failed_is_made_up_for_and_done_once(
    book: Book, consumer: TokenRevocation
) -> None:
    ann = await book.arrive()
    known(book, "uid-ann", revoked_ago=timedelta(days=9))
    book.firebase.failing.add("uid-ann")
    frozen = await book.account.freeze(ann)
    assert (frozen.state, book.firebase.revoked) == ("FROZEN", [])
    events = await book.told(ann.user_id)

    with pytest.raises(Unavailable):  # and so the outbox brings it again
        await consumer.consume(events)
    book.firebase.failing.clear()
    await consumer.consume(events)

    assert book.firebase.revoked == ["uid-ann"]
    known(book, "uid-ann", revoked_ago=timedelta(0))
    await consumer.consume(events)
    assert book.firebase.revoked == ["uid-ann"]


async def test_staff_that_ends_all_sessions_counts_and_leaving_does_not(
    book: Book, consumer: TokenRevocation
) -> None:
    ann, bob, staff = await book.arrive(), await book.arrive("uid-bob"), await book.arrive("uid-s")
    for uid in ("uid-ann", "uid-bob"):
        known(book, uid, revoked_ago=timedelta(days=9))
        book.firebase.failing.add(uid)
    assert ann.user_id is not None
    await book.back_office.end_sessions(staff, ann.user_id, REASON)
    laptop = await book.arrive("uid-bob", client=LAPTOP)
    await book.sessions.revoke_others(laptop)  # theirs lives on, and has to be refreshed
    await book.sessions.end_current(laptop)
    book.firebase.failing.clear()

    await consumer.consume(await both(book, ann, bob))

    assert book.firebase.revoked == ["uid-ann"]


async def both(book: Book, *people: Viewer) -> list[Event]:
    return [event for person in people for event in await book.told(person.user_id)]


async def test_who_is_gone_is_nobody_to_revoke(book: Book, consumer: TokenRevocation) -> None:
    ann = await book.arrive()
    await book.account.freeze(ann)
    book.firebase.revoked.clear()

    await consumer.consume(await book.told(ann.user_id))  # Firebase knows no such account

    assert book.firebase.revoked == []
