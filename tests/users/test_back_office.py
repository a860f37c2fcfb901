"""Staff's side: every look leaves a line, a reason is kept, and an export is no weapon."""

import csv
import io
import re
from datetime import timedelta

import pytest

from domain.kernel.errors import BadInput, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.page import Page
from domain.kernel.viewer import Viewer
from domain.users import audit
from domain.users.model import (
    ActivityResult,
    Client,
    FrozenBy,
    Revealed,
    SessionEnd,
    StaffNote,
    User,
)
from domain.users.own_log import STAFF_ONLY
from domain.users.ports import ActivityQuery, UserQuery
from tests.users.conftest import Book
from tests.users.people import LAPTOP, PHONE

STAFF = Client("203.0.113.5", "Back office", "desk-0001")
REASON = "ticket 42: asked for by phone"


async def both(book: Book) -> tuple[Viewer, UserId]:
    staff = await book.arrive("uid-support", client=STAFF, email="staff@example.org")
    ann = await book.arrive()
    assert ann.user_id is not None
    return staff, ann.user_id


async def actions(book: Book, staff: Viewer, subject: UserId) -> list[str]:
    lines = [line for line in await book.lines(subject) if line.actor_id == staff.user_id]
    return [line.action for line in reversed(lines)]


async def test_every_call_leaves_a_line(book: Book) -> None:
    staff, ann = await both(book)
    office = book.back_office

    await office.find(staff, UserQuery(email="ann@example.org"), first=10, after=None)
    await office.user(staff, ann)
    revealed = await office.reveal(staff, ann, REASON)
    await office.sessions(staff, ann)
    await office.add_note(staff, ann, "called twice")
    notes = await office.notes(staff, ann)
    await office.end_sessions(staff, ann, REASON)
    await office.freeze(staff, ann, REASON)
    await office.unfreeze(staff, ann, REASON)

    assert await actions(book, staff, ann) == [
        *("user.viewed", "user.viewed", "user.revealed", "sessions.viewed", "note.added"),
        *("notes.viewed", "sessions.ended", "user.frozen", "user.unfrozen"),
    ]
    assert isinstance(revealed, Revealed)
    assert revealed.user.email == "ann@example.org"
    assert [note.text for note in notes] == ["called twice"]
    kept = [line.details.get("reason") for line in await book.lines(ann)]
    assert kept.count(REASON) == 4
    assert book.firebase.revoked == ["uid-ann", "uid-ann"]


async def test_a_search_that_finds_nobody_leaves_a_line(book: Book) -> None:
    staff, ann = await both(book)
    assert staff.user_id is not None

    await book.back_office.find(staff, UserQuery(email="no@example.org"), first=9, after=None)

    line = (await book.lines(staff.user_id))[0]
    assert (line.action, line.details) == ("users.searched", {"by": "email", "found": "0"})
    assert await actions(book, staff, ann) == []


@pytest.mark.parametrize("text", ["", "  \n", "x" * 2001])
async def test_without_a_reason_nothing_is_done(book: Book, text: str) -> None:
    staff, ann = await both(book)
    office = book.back_office

    for call in (office.reveal, office.freeze, office.unfreeze, office.end_sessions):
        assert isinstance(await call(staff, ann, text), BadInput)
    assert isinstance(await office.add_note(staff, ann, text), BadInput)

    assert await actions(book, staff, ann) == []
    assert len(await book.accounts.sessions(ann, active_only=True, first=100)) == 1
    user = await book.accounts.user(ann)
    assert user is not None
    assert user.state == "ACTIVE"


async def test_nobody_and_the_erased_cannot_be_acted_on(book: Book) -> None:
    staff, ann = await both(book)
    await book.account.request_erasure(await book.arrive())
    book.clock.move(days=15)
    await book.erasure.erase_due()
    office = book.back_office

    for user_id in (ann, UserId(new_uuid7())):
        for call in (office.freeze, office.unfreeze, office.end_sessions, office.add_note):
            assert isinstance(await call(staff, user_id, REASON), NotFound)
    assert isinstance(await office.user(staff, ann), User)
    assert isinstance(await office.user(staff, UserId(new_uuid7())), NotFound)


async def test_staff_ends_all_sessions_and_freezes(book: Book) -> None:
    staff, ann = await both(book)
    await book.arrive(client=LAPTOP)

    ended = await book.back_office.end_sessions(staff, ann, REASON)
    frozen = await book.back_office.freeze(staff, ann, REASON)

    assert not isinstance(ended, NotFound | BadInput)
    assert {session.ended_by for session in ended} == {SessionEnd.REVOKED_BY_STAFF}
    assert len(ended) == 2
    assert isinstance(frozen, User)
    assert (frozen.frozen_by, frozen.frozen_reason) == (FrozenBy.STAFF, REASON)
    stored = await book.accounts.user(ann)
    assert stored is not None
    assert stored.frozen_reason == REASON


async def test_pages_of_accounts_are_stable_and_their_cursors_theirs(book: Book) -> None:
    staff, _ = await both(book)
    for number in range(5):
        await book.arrive(f"uid-{number}")

    seen: list[UserId] = []
    after: str | None = None
    for _ in range(10):
        page = await book.back_office.find(staff, UserQuery(), first=2, after=after)
        assert isinstance(page, Page)
        seen += [edge.node.id for edge in page.edges]
        await book.arrive(f"uid-late-{len(seen)}")
        after = page.page_info.end_cursor
        if len(seen) >= 7:
            break

    assert len(seen) == len(set(seen))
    assert seen == sorted(seen)
    log = await book.audit.search(staff, ActivityQuery(), first=1, after=None)
    assert isinstance(log, Page)
    foreign = log.page_info.end_cursor
    for cursor in (foreign, "x", f"{after}A", ""):
        refused = await book.back_office.find(staff, UserQuery(), first=2, after=cursor)
        assert isinstance(refused, BadInput)
    assert isinstance(
        await book.audit.search(staff, ActivityQuery(), first=1, after=after), BadInput
    )
    for first in (0, 101, -1):
        assert isinstance(
            await book.audit.search(staff, ActivityQuery(), first=first, after=None), BadInput
        )


async def test_the_log_is_searched_and_paged_while_it_grows(book: Book) -> None:
    staff, ann = await both(book)
    for number in range(7):
        book.clock.move(seconds=1)
        await book.back_office.add_note(staff, ann, f"note {number}")

    query = ActivityQuery(actor_id=staff.user_id, subject_id=ann, action="note.added")
    ids, after = [], None
    while True:
        page = await book.audit.search(staff, query, first=3, after=after)
        assert isinstance(page, Page)
        ids += [edge.node.id for edge in page.edges]
        book.clock.move(seconds=1)
        await book.back_office.add_note(staff, ann, "meanwhile")
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            break

    looked = [line for line in await book.lines(ann) if line.action == "audit.searched"]
    assert [(line.actor_id, line.details) for line in looked] == [
        (staff.user_id, {"by": "subject_id actor_id action", "found": found})
        for found in ("1", "3", "3")
    ]
    everything = [line.id for line in await book.lines(ann) if line.action == "note.added"]
    assert ids == everything[-7:]
    now = book.clock.now()
    none = await book.audit.search(
        staff,
        ActivityQuery(since=now + timedelta(seconds=1), result=ActivityResult.FAILED),
        first=10,
        after=None,
    )
    assert isinstance(none, Page)
    assert none.edges == []


async def test_a_csv_executes_nothing_and_is_logged(book: Book) -> None:
    staff, ann = await both(book)
    assert staff.user_id is not None
    for agent in ("=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", 'a","=1'):
        book.clock.move(seconds=1)
        await book.arrive(client=Client("192.0.2.1", agent, f"device-{ord(agent[0]):04}"))

    text = await book.audit.as_csv(staff, ActivityQuery(subject_id=ann))

    assert isinstance(text, str)
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert rows[0] == ["at", "actor", "subject", "action", "result", "agent", "details"]
    assert len(rows) == 10
    assert {len(row) for row in rows} == {7}
    for row in rows:
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert "'=cmd|'/c calc'!A1" in [row[5] for row in rows]
    assert "192.0.2.1" not in text
    line = (await book.lines(ann))[0]
    assert (line.action, line.actor_id, line.details) == (
        "audit.exported",
        staff.user_id,
        {"rows": "9"},
    )


@pytest.mark.parametrize("separator", [";", ",", "|", '"', "; ", ';"'])
async def test_a_csv_executes_nothing_whatever_separates_its_cells(
    book: Book, separator: str
) -> None:
    staff, ann = await both(book)
    for number, sign in enumerate("=+-@＝＋－＠"):  # noqa: RUF001
        agent = Client("192.0.2.1", f"x{separator}{sign}cmd", f"device-{number:04}")
        await book.arrive(client=agent)

    text = await book.audit.as_csv(staff, ActivityQuery(subject_id=ann))

    assert isinstance(text, str)
    # Spreadsheets of half the world part cells at semicolons, and ignore quotes inside of one.
    assert not re.search(r"""[;,|"] *[=+\-@＝＋－＠]""", text)  # noqa: RUF001
    assert text.count("cmd") == 8


async def test_a_csv_beyond_its_bound_is_refused(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert audit.CSV_ROWS_MAX == 10_000
    monkeypatch.setattr(audit, "CSV_ROWS_MAX", 3)
    staff, ann = await both(book)
    for number in range(2):
        await book.back_office.add_note(staff, ann, f"note {number}")

    assert isinstance(await book.audit.as_csv(staff, ActivityQuery(subject_id=ann)), str)
    too_many = await book.audit.as_csv(staff, ActivityQuery(subject_id=ann))

    assert isinstance(too_many, BadInput)
    assert "audit.exported" in await actions(book, staff, ann)


async def test_an_owner_learns_what_was_done_but_not_by_whom_or_that_they_looked(
    book: Book,
) -> None:
    staff, ann = await both(book)
    office = book.back_office
    await office.user(staff, ann)
    await office.reveal(staff, ann, REASON)
    note = await office.add_note(staff, ann, "suspicious")
    await office.notes(staff, ann)
    await office.sessions(staff, ann)
    await office.end_sessions(staff, ann, REASON)
    await book.audit.as_csv(staff, ActivityQuery(subject_id=ann))
    book.clock.move(minutes=1)
    owner = await book.arrive(signed_in_at=book.clock.now())
    assert isinstance(note, StaffNote)

    page = await book.account.activity(owner, first=100, after=None)
    exported = (await book.export.of_caller(owner)).document

    assert isinstance(page, Page)
    lines = [edge.node for edge in page.edges]
    assert STAFF_ONLY.isdisjoint(line.action for line in lines)
    ended = next(line for line in lines if line.action == "sessions.ended")
    assert (ended.actor_id, ended.address, ended.agent) == (None, None, None)
    assert ended.details == {"count": "1"}
    assert {line.address for line in lines if line.actor_id == ann} == {PHONE.address}
    for secret in (STAFF.address, STAFF.agent, REASON, "suspicious", str(staff.user_id)):
        assert secret not in exported
