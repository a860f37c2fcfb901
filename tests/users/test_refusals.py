"""What somebody may not do and tried is in the log; and who watches the watchmen is watched."""

from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.errors import Forbidden, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role, Viewer
from domain.users.model import Activity, ActivityResult, Client, User, UserState
from domain.users.ports import ActivityQuery
from tests.users.api import Api, user_id
from tests.users.conftest import Book
from tests.users.test_roles import admins, id_of, proposed

REASON = "ticket 42"


@pytest.fixture
def api(book: Book) -> Api:
    return Api(book)


async def denied(book: Book, subject: UserId) -> list[tuple[str, dict[str, str]]]:
    """Action and details of the DENIED lines, oldest first."""
    query = ActivityQuery(subject_id=subject, result=ActivityResult.DENIED)
    found = await book.accounts.activity(query, first=100, before=None)
    return [(line.action, dict(line.details)) for line in reversed(found)]


async def owners_log(book: Book, viewer: Viewer) -> list[Activity]:
    page: Any = await book.account.activity(viewer, first=100, after=None)
    return [edge.node for edge in page.edges]


async def test_a_field_that_is_not_theirs_is_noted_once_an_hour(api: Api) -> None:
    ann = await api.book.arrive()
    admin, log = "{ admin { openProposals { id } } }", "{ admin { auditLog { edges { cursor } } } }"
    support = await api.staff("uid-support", Role.SUPPORT)

    for _ in range(3):
        assert (await api.ask(admin, ann))[1] == [("FORBIDDEN", None)]
        assert ("FORBIDDEN", None) in (await api.ask(log, support))[1]
    freeze = f'mutation {{ adminFreezeUser(input: {{userId: "{user_id(ann)}", reason: "x"}}) '
    answer = await api.data(f"{freeze} {{ ... on UserError {{ code }} }} }}", ann)
    assert answer["adminFreezeUser"] == {"code": "FORBIDDEN"}

    assert await denied(api.book, id_of(ann)) == [
        ("field.denied", {"field": "admin"}),
        ("field.denied", {"field": "adminFreezeUser"}),
    ]
    assert await denied(api.book, id_of(support)) == [("field.denied", {"field": "auditLog"})]
    api.book.clock.move(hours=1, seconds=1)
    await api.ask(admin, ann)
    assert len(await denied(api.book, id_of(ann))) == 3
    nobody = await api.ask(admin)
    assert nobody[1] == [("UNAUTHENTICATED", None)]


async def test_refused_changes_of_roles_are_noted_where_they_were_tried(book: Book) -> None:
    one, two = await admins(book, 2)
    bob = await book.arrive("uid-bob")
    proposal = await proposed(book, one, bob, grant=True)
    unknown = UserId(new_uuid7())

    await book.roles.grant(one, id_of(one), Role.TREASURY)
    await book.roles.propose_admin(one, id_of(one), grant=False)
    await book.roles.decide_admin(one, proposal.id, approve=True)
    await book.roles.decide_admin(two, proposal.id, approve=False)
    await book.roles.decide_admin(two, proposal.id, approve=True)
    await book.roles.withdraw(one, unknown, Role.SUPPORT)

    assert await denied(book, id_of(one)) == [
        ("staff.refused", {"action": "role.granted", "code": "OWN_ROLES"}),
        ("staff.refused", {"action": "role.proposed", "code": "OWN_ROLES"}),
        (
            "staff.refused",
            {"action": "role.withdrawn", "code": "NOT_FOUND", "userId": str(unknown)},
        ),
    ]
    assert await denied(book, id_of(bob)) == [
        ("staff.refused", {"action": "role.approved", "code": "NEEDS_SECOND_PERSON"}),
        ("staff.refused", {"action": "role.approved", "code": "ALREADY_DECIDED"}),
    ]
    assert "staff.refused" not in [line.action for line in await owners_log(book, bob)]


@pytest.mark.parametrize(
    ("roles", "may"),
    [({Role.SUPPORT}, False), ({Role.COMPLIANCE}, True), ({Role.SUPPORT, Role.ADMIN}, True)],
    ids=["support", "compliance", "both"],
)
async def test_support_does_not_shut_out_administrators(
    api: Api, roles: set[Role], may: bool
) -> None:
    (admin,) = await admins(api.book, 1)
    ann = await api.book.arrive()
    staff = await api.staff("uid-staff", *roles)
    office = api.book.back_office

    answers = [
        await office.freeze(staff, id_of(admin), REASON),
        await office.unfreeze(staff, id_of(admin), REASON),
    ]

    plain = await office.freeze(staff, id_of(ann), REASON)
    assert isinstance(plain, User)
    found = await api.book.accounts.user(id_of(admin))
    assert found is not None
    assert found.state is UserState.ACTIVE
    if may:
        assert all(isinstance(answer, User) for answer in answers)
        assert api.book.firebase.revoked == ["uid-admin-0", "uid-ann"]
        return
    assert answers == [Forbidden(), Forbidden()]
    assert api.book.firebase.revoked == ["uid-ann"]
    assert (id_of(admin), None) not in api.book.signals.told
    assert await denied(api.book, id_of(admin)) == [
        ("staff.refused", {"action": "user.frozen", "code": "FORBIDDEN"}),
        ("staff.refused", {"action": "user.unfrozen", "code": "FORBIDDEN"}),
    ]


async def test_who_is_not_there_is_noted_about_who_asked(book: Book) -> None:
    support = await book.arrive("uid-support")
    nobody = UserId(new_uuid7())
    office = book.back_office

    assert await office.user(support, nobody) == NotFound("account", "id")
    for call in (office.reveal, office.freeze, office.end_sessions, office.add_note):
        assert await call(support, nobody, REASON) == NotFound("account", "userId")
    await office.freeze(support, nobody, "")  # written wrongly: nobody's concern

    lines = await denied(book, id_of(support))
    assert [details["action"] for _, details in lines] == [
        *("user.viewed", "user.revealed", "user.frozen", "sessions.ended", "note.added"),
    ]
    assert {details["userId"] for _, details in lines} == {str(nobody)}
    assert await denied(book, nobody) == []


async def test_looking_at_open_proposals_leaves_a_line(book: Book) -> None:
    one, _ = await admins(book, 2)
    await proposed(book, one, await book.arrive("uid-bob"), grant=True)

    await book.roles.open_proposals(one)

    line = (await book.lines(one.user_id))[0]
    assert (line.action, line.details) == ("proposals.viewed", {"found": "1"})


async def test_changed_roles_are_signalled_once_and_only_when_they_changed(book: Book) -> None:
    one, two = await admins(book, 2)
    bob = await book.arrive("uid-bob")

    await book.roles.grant(one, id_of(bob), Role.SUPPORT)
    await book.roles.grant(one, id_of(bob), Role.SUPPORT)
    await book.roles.grant(one, id_of(one), Role.SUPPORT)
    assert book.signals.changes == [bob.user_id]
    await book.roles.withdraw(one, id_of(bob), Role.SUPPORT)
    rejected = await proposed(book, one, bob, grant=True)
    await book.roles.decide_admin(two, rejected.id, approve=False)
    assert book.signals.changes == [bob.user_id] * 2
    approved = await proposed(book, one, bob, grant=True)
    await book.roles.decide_admin(two, approved.id, approve=True)
    assert book.signals.changes == [bob.user_id] * 3


async def test_a_hundred_sessions_and_devices_are_shown_the_newest_first(book: Book) -> None:
    ann = await book.arrive(client=device(0))
    for number in range(1, 103):
        book.clock.move(seconds=1)
        signed_in_at = book.clock.now() - timedelta(seconds=1)
        ann = await book.arrive(client=device(number), signed_in_at=signed_in_at)

    sessions, devices = await book.sessions.active(ann), await book.sessions.devices(ann)

    assert [session.device_id for session in sessions[:2]] == ["device-0102", "device-0101"]
    assert [found.id for found in devices[:2]] == ["device-0102", "device-0101"]
    assert (len(sessions), len(devices)) == (100, 100)
    # All of them end, shown or not.
    ended = await book.sessions.revoke_others(ann)
    assert len(ended) == 102


def device(number: int) -> Client:
    return Client("192.0.2.8", "OKD/1.0", f"device-{number:04}")
