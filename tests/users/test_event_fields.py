"""Subscriptions of an account through the schema: all that was missed, then live, in order."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from domain.kernel.events import NewEvent, event_cursor, stream_of_user
from domain.kernel.ids import UserId
from domain.kernel.viewer import ANONYMOUS, Role, Viewer
from domain.users.changes import ProfileChange, SettingsChange
from domain.users.model import Theme
from tests.users.api import Api, session_id, take
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW

EVENTS = """subscription ($after: String) { accountEvents(after: $after) {
    __typename id cursor type recordedAt
    ... on SessionCreatedEvent { newDevice session { id current } }
    ... on SessionEndedEvent { endedBy session { id endedBy } }
    ... on ProfileUpdatedEvent { profile { displayName } }
    ... on SettingsUpdatedEvent { settings { theme } }
    ... on AccountFrozenEvent { frozenBy }
    ... on ErasureRequestedEvent { eraseAfter }
    ... on RolesChangedEvent { roles }
    ... on NotificationAddedEvent { notification { code title body } } } }"""


@pytest.fixture
def api(book: Book) -> Api:
    return Api(book)


def owner(viewer: Viewer) -> UserId:
    assert viewer.user_id is not None
    return viewer.user_id


def beginning(viewer: Viewer) -> str:
    return event_cursor(stream_of_user(owner(viewer)), 0)


async def test_everything_missed_comes_in_order_then_what_is_new(api: Api) -> None:
    ann = await api.book.arrive()
    laptop = await api.book.arrive(client=LAPTOP)
    await api.book.account.update_profile(ann, ProfileChange(display_name="A"))

    source = await api.follow(EVENTS, ann, after=beginning(ann))
    async with aclosing(source):
        missed = await take(source, 4)
        await api.book.account.update_settings(ann, SettingsChange(theme=Theme.DARK))
        await api.book.sessions.revoke_others(ann)
        api.bell.ring()
        live = await take(source, 2)

    told = missed + live
    assert [event["type"] for event in told] == [
        "user.created", "session.created", "session.created", "profile.updated",
        "settings.updated", "session.ended",
    ]  # fmt: skip
    assert [event["__typename"] for event in told] == [
        "AccountCreatedEvent", "SessionCreatedEvent", "SessionCreatedEvent",
        "ProfileUpdatedEvent", "SettingsUpdatedEvent", "SessionEndedEvent",
    ]  # fmt: skip
    assert told[1]["newDevice"] is False
    assert told[1]["session"] == {"id": session_id(ann), "current": True}
    assert told[2]["newDevice"] is True
    assert told[2]["session"] == {"id": session_id(laptop), "current": False}
    assert told[3]["profile"] == {"displayName": "A"}
    assert told[4]["settings"] == {"theme": "DARK"}
    assert told[5]["endedBy"] == "REVOKED"
    assert told[5]["session"] == {"id": session_id(laptop), "endedBy": "REVOKED"}
    assert len({event["id"] for event in told}) == 6


async def test_a_reader_goes_on_behind_its_cursor(api: Api) -> None:
    ann = await api.book.arrive()
    await api.book.arrive(client=LAPTOP)
    source = await api.follow(EVENTS, ann, after=beginning(ann))
    async with aclosing(source):
        first, second = await take(source, 2)

    source = await api.follow(EVENTS, ann, after=first["cursor"])
    async with aclosing(source):
        again = await take(source, 1)

    assert again == [second]


async def test_every_kind_of_event_has_its_type(api: Api) -> None:
    ann = await api.book.arrive()
    admin = await api.staff("uid-admin", Role.ADMIN)
    await api.book.account.request_erasure(ann)
    await api.book.account.withdraw_erasure(ann)
    await api.book.roles.grant(admin, owner(ann), Role.SUPPORT)
    await api.book.inbox_consumer.consume(await api.book.told(ann.user_id))
    async with api.book.works.begin() as work:
        work.events.append(NewEvent(stream_of_user(owner(ann)), "order.filled", {"id": "1"}))
    await api.book.account.freeze(ann)
    await api.book.back_office.unfreeze(admin, owner(ann), "called")

    source = await api.follow(EVENTS, ann, after=beginning(ann))
    async with aclosing(source):
        told = (await take(source, 12))[2:]

    assert [event["__typename"] for event in told] == [
        "ErasureRequestedEvent", "ErasureWithdrawnEvent", "RolesChangedEvent",
        "NotificationAddedEvent", "NotificationAddedEvent", "NotificationAddedEvent",
        "OtherEvent", "AccountFrozenEvent", "SessionEndedEvent", "AccountUnfrozenEvent",
    ]  # fmt: skip
    assert told[0]["eraseAfter"] == "2026-12-06T15:00:00.000Z"
    assert told[2]["roles"] == ["SUPPORT", "USER"]
    assert told[3]["notification"]["code"] == "ERASURE_REQUESTED"
    assert "2026-12-06" in told[3]["notification"]["body"]
    assert told[5]["notification"] == {
        "code": "ROLES_CHANGED", "title": "Your roles changed",
        "body": "You now are: SUPPORT, USER.",
    }  # fmt: skip
    assert told[7]["frozenBy"] == "OWNER"


async def first_error(api: Api, query: str, viewer: Viewer, **variables: Any) -> Any:
    source = await api.follow(query, viewer, **variables)
    async with aclosing(source):
        (result,) = [result async for result in source]
    (error,) = result.errors
    return error.extensions


async def test_who_waited_too_long_has_to_read_anew(api: Api) -> None:
    ann = await api.book.arrive()
    ahead = event_cursor(stream_of_user(owner(ann)), 99)

    extensions = await first_error(api, EVENTS, ann, after=ahead)

    assert extensions == {
        "code": "RESYNC_REQUIRED", "userError": True, "argument": "after",
        "oldestCursor": beginning(ann),
    }  # fmt: skip


async def test_a_strangers_cursor_is_none(api: Api) -> None:
    ann, bob = await api.book.arrive(), await api.book.arrive("uid-bob", email="bob@example.org")

    extensions = await first_error(api, EVENTS, ann, after=beginning(bob))

    assert (extensions["code"], extensions["argument"]) == ("BAD_INPUT", "after")


async def test_nobody_hears_nothing(api: Api) -> None:
    for query in (
        EVENTS,
        "subscription { notificationAdded { id } }",
        "subscription { sessionRevoked { id } }",
    ):
        assert (await first_error(api, query, ANONYMOUS))["code"] == "UNAUTHENTICATED"


async def test_new_notifications_come_alone(api: Api) -> None:
    ann = await api.book.arrive()
    source = await api.follow("subscription { notificationAdded { code title } }", ann)
    async with aclosing(source), asyncio.TaskGroup() as tasks:
        told = tasks.create_task(take(source, 1))
        await api.bell.followed.wait()
        await api.book.arrive(client=LAPTOP)
        await api.book.inbox_consumer.consume(await api.book.told(ann.user_id))
        api.bell.ring()

    assert told.result() == [{"code": "NEW_DEVICE", "title": "New device"}]


async def test_revoked_sessions_come_and_signed_out_ones_do_not(api: Api) -> None:
    ann = await api.book.arrive()
    laptop = await api.book.arrive(client=LAPTOP)
    third = await api.book.arrive(client=LAPTOP, signed_in_at=NOW)
    source = await api.follow("subscription { sessionRevoked { id endedBy } }", ann)
    async with aclosing(source), asyncio.TaskGroup() as tasks:
        told = tasks.create_task(take(source, 1))
        await api.bell.followed.wait()
        await api.book.sessions.end_current(third)
        await api.book.sessions.revoke_others(ann)
        api.bell.ring()

    assert told.result() == [{"id": session_id(laptop), "endedBy": "REVOKED"}]
