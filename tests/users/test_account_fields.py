"""The caller's own account through the schema: what is shown, changed and refused."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.kernel.ids import new_uuid7
from schema._ids import encode_id
from tests import canaries
from tests.users.api import Api, reason, refused, session_id, user_id
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW


@pytest.fixture
def api(book: Book) -> Api:
    return Api(book)


async def test_nobody_is_nobody_and_may_ask(api: Api) -> None:
    assert await api.ask("{ viewer { id } }") == ({"viewer": None}, [])


async def test_everybody_sees_their_own(api: Api) -> None:
    ann = await api.book.arrive()
    laptop = await api.book.arrive(client=LAPTOP)
    query = """{ viewer {
        id email emailVerified state roles unreadNotificationCount
        profile { displayName timeZone legalIdentityLocked }
        settings { locale theme displayCurrency confirmOrders quietHours { start } }
        sessions { id current agent address }
        devices { id activeSessions }
        activity(first: 1) { edges { node { action result address details { name value } } }
                             pageInfo { hasNextPage } } } }"""

    shown = (await api.data(query, laptop))["viewer"]

    assert shown == {
        "id": user_id(ann),
        "email": "ann@example.org",
        "emailVerified": True,
        "state": "ACTIVE",
        "roles": ["USER"],
        "unreadNotificationCount": 0,
        "profile": {"displayName": canaries.NAME, "timeZone": "UTC", "legalIdentityLocked": False},
        "settings": {
            "locale": "EN", "theme": "SYSTEM", "displayCurrency": "USDT",
            "confirmOrders": True, "quietHours": None,
        },
        "sessions": [
            {"id": session_id(laptop), "current": True,
             "agent": "Mozilla/5.0", "address": "198.51.100.9"},
            {"id": session_id(ann), "current": False,
             "agent": "OKD/1.0 (iPhone)", "address": "192.0.2.7"},
        ],
        "devices": [
            {"id": "laptop-0001", "activeSessions": 1}, {"id": "phone-0001", "activeSessions": 1},
        ],
        "activity": {
            "edges": [{"node": {
                "action": "session.created", "result": "SUCCEEDED", "address": "198.51.100.9",
                "details": shown["activity"]["edges"][0]["node"]["details"],
            }}],
            "pageInfo": {"hasNextPage": True},
        },
    }  # fmt: skip


async def test_a_profile_is_changed_field_by_field(api: Api) -> None:
    ann = await api.book.arrive()
    shown = "profile { displayName country phone timeZone }"

    first = await api.change(
        ann, "updateProfile", shown, country="DE", phone="+4915112345678", timeZone="Europe/Berlin"
    )
    second = await api.change(ann, "updateProfile", shown, phone=None)

    assert first["profile"] == {
        "displayName": canaries.NAME, "country": "DE", "phone": "+4915112345678",
        "timeZone": "Europe/Berlin",
    }  # fmt: skip
    assert second["profile"] == {**first["profile"], "phone": None}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("displayName", ""), ("legalName", "x" * 101), ("dateOfBirth", "2026-11-23"),
        ("country", "de"), ("phone", "0151"), ("timeZone", "Mars/Base"), ("timeZone", None),
    ],
)  # fmt: skip
async def test_a_profile_holds_no_nonsense(api: Api, field: str, value: str | None) -> None:
    ann = await api.book.arrive()

    answer = await api.change(ann, "updateProfile", **{field: value})

    assert reason(answer) == refused("BAD_INPUT", field)
    assert (await api.book.account.profile(ann)).display_name == canaries.NAME


async def test_kyc_keeps_the_legal_identity(api: Api) -> None:
    ann = await api.book.arrive()
    await api.change(ann, "updateProfile", legalName="Ann Lee", country="DE")
    api.book.holds.identity_locked = True

    for change in ({"legalName": "Bob"}, {"dateOfBirth": "2000-01-31"}, {"country": None}):
        answer = await api.change(ann, "updateProfile", **change)
        assert reason(answer) == refused("LEGAL_IDENTITY_LOCKED", *change)
    shown = "profile { displayName legalName legalIdentityLocked }"
    same = await api.change(ann, "updateProfile", shown, displayName="A", legalName="Ann Lee")

    assert same["profile"] == {
        "displayName": "A", "legalName": "Ann Lee", "legalIdentityLocked": True,
    }  # fmt: skip


async def test_settings_are_changed_cell_by_cell(api: Api) -> None:
    ann = await api.book.arrive()
    shown = """settings { locale theme displayCurrency confirmOrders quietHours { start end }
        notifications { topic channel on } }"""

    answer = await api.change(
        ann, "updateSettings", shown,
        locale="RU", theme="DARK", displayCurrency="EUR", confirmOrders=False,
        quietHours={"start": "22:00", "end": "07:30"},
        notifications=[{"topic": "NEWS", "channel": "EMAIL", "on": True},
                       {"topic": "WALLET", "channel": "INBOX", "on": False}],
    )  # fmt: skip
    none = await api.change(ann, "updateSettings", "settings { quietHours { start } locale }",
                            quietHours=None)  # fmt: skip

    settings = answer["settings"]
    on = {(c["topic"], c["channel"]) for c in settings.pop("notifications") if c["on"]}
    assert settings == {
        "locale": "RU", "theme": "DARK", "displayCurrency": "EUR", "confirmOrders": False,
        "quietHours": {"start": "22:00", "end": "07:30"},
    }  # fmt: skip
    assert on == {
        ("SECURITY", "INBOX"), ("SECURITY", "EMAIL"), ("SECURITY", "PUSH"), ("ACCOUNT", "INBOX"),
        ("TRADING", "INBOX"), ("PRICE_ALERTS", "INBOX"), ("NEWS", "EMAIL"),
    }  # fmt: skip
    assert none["settings"] == {"quietHours": None, "locale": "RU"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("notifications", [{"topic": "SECURITY", "channel": "INBOX", "on": False}]),
        ("displayCurrency", "usd"), ("displayCurrency", None), ("locale", None), ("theme", None),
        ("confirmOrders", None), ("quietHours", {"start": "22:00", "end": "22:00"}),
        ("quietHours", {"start": "24:00", "end": "07:00"}),
        ("quietHours", {"start": "22:00:00", "end": "07:00"}),
        ("quietHours", {"start": "22+01", "end": "07:00"}),
        ("quietHours", {"start": "22:00", "end": "0700Z"}),
        ("quietHours", {"start": "T2200", "end": "07:00"}),
    ],
)  # fmt: skip
async def test_settings_hold_no_nonsense(api: Api, field: str, value: object) -> None:
    ann = await api.book.arrive()
    before = await api.book.account.settings(ann)

    answer = await api.change(ann, "updateSettings", **{field: value})

    assert reason(answer) == refused("BAD_INPUT", field)
    assert await api.book.account.settings(ann) == before


async def test_sessions_end_one_by_one_or_together(api: Api) -> None:
    phone = await api.book.arrive()
    laptop = await api.book.arrive(client=LAPTOP)
    third = await api.book.arrive(signed_in_at=NOW)

    one = await api.change(
        phone, "revokeSession", "session { id endedBy endedAt }", sessionId=session_id(laptop)
    )
    others = await api.change(phone, "revokeOtherSessions", "sessions { id endedBy }")
    own = await api.change(phone, "endSession", "sessions { id current endedBy }")

    assert one["session"] == {
        "id": session_id(laptop), "endedBy": "REVOKED", "endedAt": "2026-11-22T15:00:00.000Z",
    }  # fmt: skip
    assert others["sessions"] == [{"id": session_id(third), "endedBy": "REVOKED"}]
    assert own["sessions"] == [{"id": session_id(phone), "current": True, "endedBy": "SIGNED_OUT"}]


async def test_a_strangers_session_looks_like_none(api: Api) -> None:
    ann, bob = await api.book.arrive(), await api.book.arrive("uid-bob", email="bob@example.org")

    theirs = await api.change(ann, "revokeSession", sessionId=session_id(bob))
    none = await api.change(ann, "revokeSession", sessionId=encode_id("Session", new_uuid7()))

    assert theirs == none
    assert reason(none) == refused("NOT_FOUND", "sessionId")
    assert len(await api.book.sessions.active(bob)) == 1


@pytest.mark.parametrize("text", ["", "x", "Zm9v", "==", "\u0430", "user"])
async def test_ids_that_are_none_are_refused(api: Api, text: str) -> None:
    ann = await api.book.arrive()
    wrong = user_id(ann) if text == "user" else text

    session = await api.change(ann, "revokeSession", sessionId=wrong)
    notifications = await api.change(ann, "markNotificationsRead", ids=[wrong])

    assert reason(session) == refused("BAD_INPUT", "sessionId")
    assert reason(notifications) == refused("BAD_INPUT", "ids")


async def test_freezing_is_one_call_and_needs_no_second_factor(api: Api) -> None:
    ann = await api.book.arrive()

    answer = await api.change(ann, "freezeMyAccount", "viewer { state sessions { id } }")

    assert answer["viewer"] == {"state": "FROZEN", "sessions": []}
    assert api.book.signals.told == [(ann.user_id, None)]


async def test_data_is_exported_to_who_proves_to_be_the_owner(api: Api) -> None:
    api.enrol("uid-ann")
    weak = await api.book.arrive()

    refusal = await api.data(
        """mutation { exportMyData { ... on StepUpRequired { code maxAgeSeconds methods } } }""",
        weak,
    )
    ann = await api.proven()
    answer = await api.change(ann, "exportMyData", "export { createdAt document }")
    again = await api.change(ann, "exportMyData")

    assert refusal["exportMyData"] == {
        "code": "STEP_UP_REQUIRED", "maxAgeSeconds": 300, "methods": ["totp"],
    }  # fmt: skip
    document = json.loads(answer["export"]["document"])
    assert document["account"]["email"] == "ann@example.org"
    assert reason(again) == refused("STEP_UP_REQUIRED")  # a sign-in is spent on one call


async def test_firebase_has_the_last_word_on_a_step_up(api: Api) -> None:
    ann = await api.proven()
    api.book.firebase.accounts["uid-ann"] = None  # type: ignore[assignment]  # gone
    gone = await api.change(ann, "exportMyData")
    api.enrol("uid-ann")
    known = api.book.firebase.accounts["uid-ann"]
    api.book.firebase.accounts["uid-ann"] = type(known)(
        disabled=False, valid_since=NOW, second_factors=known.second_factors
    )

    assert reason(gone) == refused("ACCOUNT_FROZEN")
    assert reason(await api.change(ann, "eraseMyAccount")) == refused("SESSION_ENDED")


async def test_erasure_is_asked_for_and_taken_back(api: Api) -> None:
    ann = await api.proven()
    api.book.holds.why = ("BALANCES",)
    held = await api.change(ann, "eraseMyAccount")
    api.book.holds.why = ()
    ann = await api.book.arrive(second_factor="totp", signed_in_at=NOW + timedelta(seconds=1))
    shown = "viewer { state eraseAfter }"

    asked = await api.change(ann, "eraseMyAccount", shown)
    kept = await api.change(ann, "withdrawErasure", shown)

    assert reason(held) == refused("CANNOT_ERASE")
    assert asked["viewer"] == {"state": "ERASING", "eraseAfter": "2026-12-06T15:00:00.000Z"}
    assert kept["viewer"] == {"state": "ACTIVE", "eraseAfter": None}


async def test_the_inbox_speaks_the_readers_language_and_is_read(api: Api) -> None:
    ann = await api.book.arrive()
    for second in range(3):
        await api.book.arrive(client=type(LAPTOP)("198.51.100.9", "Mozilla", f"laptop-{second:04}"))
    await api.book.inbox_consumer.consume(await api.book.told(ann.user_id))
    query = """query ($after: String, $unread: Boolean! = false) { viewer {
        unreadNotificationCount
        notifications(first: 2, after: $after, unreadOnly: $unread) {
            edges { node { id code title readAt } } pageInfo { hasNextPage endCursor } } } }"""

    first = (await api.data(query, ann))["viewer"]
    end = first["notifications"]["pageInfo"]["endCursor"]
    await api.change(ann, "updateSettings", locale="RU")
    second = (await api.data(query, ann, after=end))["viewer"]
    nodes = [e["node"] for page in (first, second) for e in page["notifications"]["edges"]]
    one = await api.change(
        ann, "markNotificationsRead", "unreadNotificationCount", ids=[nodes[0]["id"]]
    )
    unread = (await api.data(query, ann, unread=True))["viewer"]["notifications"]["edges"]
    everything = await api.change(ann, "markAllNotificationsRead", "unreadNotificationCount")

    assert first["unreadNotificationCount"] == 3
    assert [n["title"] for n in nodes] == ["New device", "New device", "Новое устройство"]
    assert len({n["id"] for n in nodes}) == 3
    assert second["notifications"]["pageInfo"]["hasNextPage"] is False
    assert one["unreadNotificationCount"] == 2
    assert {e["node"]["id"] for e in unread} == {n["id"] for n in nodes[1:]}
    assert everything["unreadNotificationCount"] == 0


async def test_what_is_a_strangers_is_not_marked_and_a_hundred_is_enough(api: Api) -> None:
    ann, bob = await api.book.arrive(), await api.book.arrive("uid-bob", email="bob@example.org")
    await api.book.arrive("uid-bob", client=LAPTOP, email="bob@example.org")
    await api.book.inbox_consumer.consume(await api.book.told(bob.user_id))
    query = "{ viewer { notifications { edges { node { id } } } } }"
    (edge,) = (await api.data(query, bob))["viewer"]["notifications"]["edges"]

    await api.change(ann, "markNotificationsRead", ids=[edge["node"]["id"]])
    many = [encode_id("Notification", new_uuid7()) for _ in range(101)]

    assert await api.book.inbox.unread(bob) == 1
    assert reason(await api.change(ann, "markNotificationsRead", ids=many)) == refused(
        "BAD_INPUT", "ids"
    )


@pytest.mark.parametrize(
    ("arguments", "argument"), [("first: 0", "first"), ("first: 101", "first"),
                                ('after: "x"', "after")]
)  # fmt: skip
@pytest.mark.parametrize("field", ["activity", "notifications"])
async def test_pages_have_bounds(api: Api, field: str, arguments: str, argument: str) -> None:
    ann = await api.book.arrive()

    data, errors = await api.ask(
        f"{{ viewer {{ {field}({arguments}) {{ pageInfo {{ hasNextPage }} }} }} }}", ann
    )

    assert (data, errors) == ({"viewer": {field: None}}, [("BAD_INPUT", argument)])


async def test_where_nobody_can_sign_in_prices_still_come(api: Api) -> None:
    ann = await api.book.arrive()
    api.services = replace(api.services, users=None)

    assert await api.ask("{ viewer { id } systemStatus { state } }") == (
        {"viewer": None, "systemStatus": {"state": "UP"}}, [],
    )  # fmt: skip
    with pytest.raises(AssertionError, match="account service"):
        await api.ask("{ viewer { id } }", ann)
