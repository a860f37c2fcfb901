"""The back office through the schema: masked, logged, by role, and by two where it matters."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role, Viewer
from domain.users.changes import ProfileChange
from domain.users.model import Profile
from schema._ids import encode_id
from tests import canaries
from tests.users.api import Api, reason, refused, user_id
from tests.users.conftest import Book
from tests.users.people import NOW

# Always the same: it is part of tests' names.
NOBODY = encode_id("User", UUID("019ab000-0000-7000-8000-000000000099"))
ONE = """query ($id: ID!) { admin { user(id: $id) {
    id uid email emailVerified state roles
    profile { displayName legalName dateOfBirth phone country } sessions { agent provider }
    notes { text authorId } } } }"""


@pytest.fixture
def api(book: Book) -> Api:
    return Api(book)


async def ann(api: Api) -> Viewer:
    viewer = await api.book.arrive()
    await api.book.account.update_profile(
        viewer,
        ProfileChange(
            legal_name=f"{canaries.NAME} Maria Lee",
            date_of_birth=canaries.BIRTHDAY,
            phone="+4915112345678",
            country="DE",
        ),
    )
    return viewer


async def actions(api: Api, subject: Viewer) -> list[str]:
    return [line.action for line in await api.book.lines(subject.user_id)]


async def test_support_sees_people_masked_and_leaves_a_trace(api: Api) -> None:
    someone = await ann(api)
    support = await api.staff("uid-support", Role.SUPPORT)

    shown = (await api.data(ONE, support, id=user_id(someone)))["admin"]["user"]

    assert shown == {
        "id": user_id(someone), "uid": "uid-ann", "email": "a***@e***.org",
        "emailVerified": True, "state": "ACTIVE", "roles": ["USER"],
        "profile": {
            "displayName": "A.", "legalName": "A. M. L.", "dateOfBirth": None,
            "phone": "***78", "country": "DE",
        },
        "sessions": [{"agent": "OKD/1.0 (iPhone)", "provider": "password"}], "notes": [],
    }  # fmt: skip
    assert {"user.viewed", "sessions.viewed", "notes.viewed"} <= set(await actions(api, someone))


async def test_what_is_revealed_has_a_reason_and_a_second_factor(api: Api) -> None:
    someone = await ann(api)
    support = await api.staff("uid-support", Role.SUPPORT)
    compliance = await api.staff("uid-compliance", Role.COMPLIANCE)
    shown = "user { id email profile { legalName dateOfBirth phone } }"
    given = {"userId": user_id(someone), "reason": "case 7"}

    forbidden = await api.change(support, "adminRevealUser", **given)
    revealed = await api.change(compliance, "adminRevealUser", shown, **given)
    again = await api.change(compliance, "adminRevealUser", **given)
    silent = await api.change(compliance, "adminRevealUser", **{**given, "reason": " "})
    none = await api.change(compliance, "adminRevealUser", userId=NOBODY, reason="x")

    assert reason(forbidden) == refused("FORBIDDEN")
    assert revealed["user"] == {
        "id": user_id(someone), "email": "ann@example.org",
        "profile": {
            "legalName": f"{canaries.NAME} Maria Lee", "dateOfBirth": canaries.BIRTHDAY,
            "phone": "+4915112345678",
        },
    }  # fmt: skip
    assert reason(again) == refused("STEP_UP_REQUIRED")
    assert reason(silent) == refused("BAD_INPUT", "reason")
    assert reason(none) == refused("NOT_FOUND", "userId")
    (line,) = [x for x in await api.book.lines(someone.user_id) if x.action == "user.revealed"]
    assert (line.actor_id, line.details) == (compliance.user_id, {"reason": "case 7"})


async def test_people_are_found_and_paged(api: Api) -> None:
    someone = await ann(api)
    support = await api.staff("uid-support", Role.SUPPORT)
    query = """query ($filter: UserFilter, $first: Int! = 20, $after: String) { admin {
        users(filter: $filter, first: $first, after: $after) {
            edges { node { id } } pageInfo { hasNextPage endCursor } } } }"""

    async def find(**variables: Any) -> tuple[list[str], Any]:
        page = (await api.data(query, support, **variables))["admin"]["users"]
        return [edge["node"]["id"] for edge in page["edges"]], page["pageInfo"]

    first, info = await find(first=1)
    rest, end = await find(first=1, after=info["endCursor"])

    assert (first, info["hasNextPage"]) == ([user_id(someone)], True)
    assert (rest, end["hasNextPage"]) == ([user_id(support)], False)
    for sought in (
        {"id": user_id(someone)}, {"uid": "uid-ann"}, {"email": "ANN@Example.org"},
    ):  # fmt: skip
        assert (await find(filter=sought))[0] == [user_id(someone)]
    assert (await find(filter={"role": "SUPPORT"}))[0] == [user_id(support)]
    assert (await find(filter={"email": "ann"}))[0] == []


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ('user(id: "x") { id }', ("BAD_INPUT", "id")),
        (f'user(id: "{NOBODY}") {{ id }}', ("NOT_FOUND", "id")),
        ('users(filter: {id: "x"}) { edges { cursor } }', ("BAD_INPUT", "id")),
        ("users(first: 0) { edges { cursor } }", ("BAD_INPUT", "first")),
        ('auditLog(filter: {subjectId: "x"}) { edges { cursor } }', ("BAD_INPUT", "subjectId")),
        ('auditLog(filter: {actorId: "x"}) { edges { cursor } }', ("BAD_INPUT", "actorId")),
        ('auditLog(after: "x") { edges { cursor } }', ("BAD_INPUT", "after")),
    ],
)
async def test_nonsense_is_named(api: Api, field: str, error: tuple[str, str]) -> None:
    admin = await api.staff("uid-admin", Role.ADMIN)

    _, errors = await api.ask(f"{{ admin {{ {field} }} }}", admin)

    assert errors == [error]


async def test_accounts_are_frozen_ended_noted_and_unfrozen(api: Api) -> None:
    someone = await ann(api)
    support = await api.staff("uid-support", Role.SUPPORT)
    given = {"userId": user_id(someone), "reason": "asked on the telephone"}

    noted = await api.change(
        support, "adminAddNote", "note { text authorId }", userId=user_id(someone), text="Kind."
    )
    ended = await api.change(support, "adminEndSessions", "sessions { endedBy }", **given)
    frozen = await api.change(
        support, "adminFreezeUser", "user { state frozenBy frozenReason email }", **given
    )
    thawed = await api.change(support, "adminUnfreezeUser", "user { state frozenBy }", **given)

    assert noted["note"] == {"text": "Kind.", "authorId": user_id(support)}
    assert ended["sessions"] == [{"endedBy": "REVOKED_BY_STAFF"}]
    assert frozen["user"] == {
        "state": "FROZEN", "frozenBy": "STAFF", "frozenReason": given["reason"],
        "email": "a***@e***.org",
    }  # fmt: skip
    assert thawed["user"] == {"state": "ACTIVE", "frozenBy": None}
    assert {"note.added", "sessions.ended", "user.frozen", "user.unfrozen"} <= set(
        await actions(api, someone)
    )


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("adminFreezeUser", "reason"), ("adminUnfreezeUser", "reason"),
        ("adminEndSessions", "reason"), ("adminAddNote", "text"),
    ],
)  # fmt: skip
async def test_staff_names_somebody_and_says_why(api: Api, name: str, word: str) -> None:
    someone = await ann(api)
    support = await api.staff("uid-support", Role.SUPPORT)

    async def answer(who: str, text: str) -> dict[str, Any]:
        return reason(await api.change(support, name, **{"userId": who, word: text}))

    assert await answer(NOBODY, "x") == refused("NOT_FOUND", "userId")
    assert await answer("x", "x") == refused("BAD_INPUT", "userId")
    assert await answer(user_id(someone), " ") == refused("BAD_INPUT", word)
    assert await answer(user_id(someone), "x" * 2001) == refused("BAD_INPUT", word)
    assert api.book.signals.told == []


async def test_roles_are_given_and_taken_never_ones_own(api: Api) -> None:
    someone = await ann(api)
    admin = await api.staff("uid-admin", Role.ADMIN)

    async def change(verb: str, who: str, role: str) -> Any:
        return await api.change(admin, f"admin{verb}Role", "user { roles }", userId=who, role=role)

    granted = await change("Grant", user_id(someone), "SUPPORT")
    taken = await change("Withdraw", user_id(someone), "SUPPORT")

    assert granted["user"] == {"roles": ["SUPPORT", "USER"]}
    assert taken["user"] == {"roles": ["USER"]}
    for verb in ("Grant", "Withdraw"):
        assert reason(await change(verb, user_id(admin), "SUPPORT")) == refused("OWN_ROLES")
        assert reason(await change(verb, user_id(someone), "ADMIN")) == refused("BAD_INPUT", "role")
        assert reason(await change(verb, NOBODY, "SUPPORT")) == refused("NOT_FOUND", "userId")
        assert reason(await change(verb, "x", "SUPPORT")) == refused("BAD_INPUT", "userId")


async def test_two_make_an_administrator(api: Api) -> None:
    someone = await ann(api)
    first = await api.staff("uid-first", Role.ADMIN)
    second = await api.staff("uid-second", Role.ADMIN)
    wish = {"userId": user_id(someone), "grant": True}
    shown = "proposal { id state grant userId proposedBy decidedBy }"

    proposal = (await api.change(first, "adminProposeAdministrator", shown, **wish))["proposal"]
    waiting = (await api.data("{ admin { openProposals { id role } } }", second))["admin"]
    own = await api.change(first, "adminDecideProposal", proposalId=proposal["id"], approve=True)
    decided = await api.change(
        second, "adminDecideProposal", shown, proposalId=proposal["id"], approve=True
    )
    late = await api.change(second, "adminDecideProposal", proposalId=proposal["id"], approve=False)

    assert proposal == {
        "id": proposal["id"], "state": "OPEN", "grant": True, "userId": user_id(someone),
        "proposedBy": user_id(first), "decidedBy": None,
    }  # fmt: skip
    assert waiting == {"openProposals": [{"id": proposal["id"], "role": "ADMIN"}]}
    assert reason(own) == refused("NEEDS_SECOND_PERSON")
    assert decided["proposal"]["state"] == "APPROVED"
    assert decided["proposal"]["decidedBy"] == user_id(second)
    assert reason(late) == refused("ALREADY_DECIDED")
    assert Role.ADMIN in (await api.book.account.user(someone)).roles


async def test_proposals_that_make_no_sense(api: Api) -> None:
    first = await api.staff("uid-first", Role.ADMIN)
    second = await api.staff("uid-second", Role.ADMIN)

    async def propose(who: str, *, grant: bool) -> dict[str, Any]:
        answer = await api.change(first, "adminProposeAdministrator", userId=who, grant=grant)
        return reason(answer)

    async def decide(proposal: str) -> dict[str, Any]:
        answer = await api.change(second, "adminDecideProposal", proposalId=proposal, approve=True)
        return reason(answer)

    assert await propose(user_id(first), grant=False) == refused("OWN_ROLES")
    assert await propose(user_id(second), grant=True) == refused("BAD_INPUT", "grant")
    assert await propose(NOBODY, grant=True) == refused("NOT_FOUND", "userId")
    assert await propose("x", grant=True) == refused("BAD_INPUT", "userId")
    assert await decide(user_id(first)) == refused("BAD_INPUT", "proposalId")
    unknown = encode_id("RoleProposal", new_uuid7())
    assert await decide(unknown) == refused("NOT_FOUND", "proposalId")
    about_second = await api.change(
        first, "adminProposeAdministrator", "proposal { id }", userId=user_id(second), grant=False
    )
    assert await decide(about_second["proposal"]["id"]) == refused("OWN_ROLES")


async def test_administrators_prove_that_it_is_them(api: Api) -> None:
    someone = await ann(api)
    admin = await api.staff(
        "uid-admin", Role.ADMIN, second_factor=None, signed_in_at=NOW + timedelta(seconds=2)
    )

    wanted: dict[str, dict[str, Any]] = {
        "adminGrantRole": {"userId": user_id(someone), "role": "SUPPORT"},
        "adminProposeAdministrator": {"userId": user_id(someone), "grant": True},
        "adminUnfreezeUser": {"userId": user_id(someone), "reason": "x"},
        "adminRevealUser": {"userId": user_id(someone), "reason": "x"},
        "adminDecideProposal": {"proposalId": NOBODY, "approve": True},
    }
    for name, given in wanted.items():
        assert reason(await api.change(admin, name, **given)) == refused("STEP_UP_REQUIRED")
    assert set(await actions(api, someone)) == {"session.created", "profile.updated"}


async def test_the_log_is_searched_and_taken_along(api: Api) -> None:
    someone = await ann(api)
    compliance = await api.staff("uid-compliance", Role.COMPLIANCE)
    query = """query ($filter: AuditFilter, $first: Int! = 20, $after: String) { admin {
        auditLog(filter: $filter, first: $first, after: $after) {
            edges { node { action actorId subjectId result } }
            pageInfo { hasNextPage endCursor } } } }"""
    mine = {"subjectId": user_id(someone)}

    first = (await api.data(query, compliance, filter=mine, first=1))["admin"]["auditLog"]
    end = first["pageInfo"]["endCursor"]
    rest = (await api.data(query, compliance, filter=mine, after=end))["admin"]["auditLog"]
    narrow = {**mine, "action": "profile.updated", "result": "SUCCEEDED",
              "actorId": user_id(someone), "since": "2026-11-22T15:00:00.000Z"}  # fmt: skip
    found = (await api.data(query, compliance, filter=narrow))["admin"]["auditLog"]
    text = (
        await api.data(
            "query ($f: AuditFilter) { admin { auditCsv(filter: $f) } }", compliance, f=mine
        )
    )["admin"]["auditCsv"]

    lines = [edge["node"]["action"] for page in (first, rest) for edge in page["edges"]]
    assert sorted(lines) == ["profile.updated", "session.created"]
    assert first["pageInfo"]["hasNextPage"] is True
    assert [edge["node"] for edge in found["edges"]] == [{
        "action": "profile.updated", "actorId": user_id(someone),
        "subjectId": user_id(someone), "result": "SUCCEEDED",
    }]  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(text)))
    assert sorted(row["action"] for row in rows) == [
        *["audit.searched"] * 3,
        *("profile.updated", "session.created"),
    ]
    assert "audit.exported" in await actions(api, someone)


async def test_a_page_of_people_is_one_look_at_their_profiles(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = await ann(api)
    support = await api.staff("uid-support", Role.SUPPORT)
    looks: list[set[UserId]] = []
    profiles = api.book.accounts.profiles

    async def counted(user_ids: Sequence[UserId]) -> Mapping[UserId, Profile]:
        looks.append(set(user_ids))
        return await profiles(user_ids)

    monkeypatch.setattr(api.book.accounts, "profiles", counted)
    query = "{ admin { users { edges { node { profile { displayName } } } } } }"

    await api.data(query, support)

    assert looks == [{someone.user_id, support.user_id}]
