"""The caller's inbox, export and permissions."""

import json
from datetime import time, timedelta
from typing import Any

import pytest

from domain.kernel.errors import BadInput, Forbidden
from domain.kernel.events import Event, EventId, stream_of_desk
from domain.kernel.ids import new_uuid7
from domain.kernel.page import Page
from domain.kernel.viewer import Viewer
from domain.users.changes import ChannelChoice, ProfileChange, SettingsChange
from domain.users.errors import CannotErase, EmailNotVerified, LegalIdentityLocked, StepUpRequired
from domain.users.inbox import is_told
from domain.users.model import Channel, NotificationId, QuietHours, Settings, Topic
from domain.users.permissions import Action
from domain.users.ports import FirebaseAccount
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW


async def codes(book: Book, viewer: Viewer) -> list[str]:
    page = await book.inbox.page(viewer, unread_only=False, first=100, after=None)
    assert isinstance(page, Page)
    return [edge.node.code for edge in page.edges]


async def test_the_inbox_keeps_what_was_chosen_and_security_always(book: Book) -> None:
    ann = await book.arrive()
    choices = [ChannelChoice(topic, Channel.INBOX, on=False) for topic in Topic]
    kept = await book.account.update_settings(
        ann,
        SettingsChange(
            notifications=tuple(c for c in choices if c.topic is not Topic.SECURITY),
            # For what rings only: the inbox does not.
            quiet_hours=QuietHours(time(0), time(23, 59)),
        ),
    )
    assert isinstance(kept, Settings)

    await book.account.request_erasure(ann)
    await book.arrive(client=LAPTOP)
    await book.inbox_consumer.consume(await book.told(ann.user_id))
    assert await codes(book, ann) == ["NEW_DEVICE"]

    back = SettingsChange(notifications=(ChannelChoice(Topic.ACCOUNT, Channel.INBOX, on=True),))
    await book.account.update_settings(ann, back)
    await book.account.withdraw_erasure(ann)
    told = await book.told(ann.user_id)
    for _ in range(3):
        await book.inbox_consumer.consume(told)
    assert sorted(await codes(book, ann)) == sorted(
        ["NEW_DEVICE", "ERASURE_REQUESTED", "ERASURE_WITHDRAWN"]
    )
    added = [e for e in await book.told(ann.user_id) if e.type == "notification.added"]
    assert len(added) == 3


async def test_one_freeze_is_one_message_not_one_for_every_session(book: Book) -> None:
    ann = await book.arrive()
    await book.arrive(client=LAPTOP)
    await book.account.freeze(ann)

    told = [event for event in await book.told(ann.user_id) if is_told(event)]

    assert [event.type for event in told] == ["session.created", "user.frozen"]


async def test_events_of_desks_and_unknown_types_make_no_message(book: Book) -> None:
    ann = await book.arrive()
    desk = Event(EventId(new_uuid7()), stream_of_desk("SUPPORT"), 1, "user.frozen", 1, {}, NOW)
    new = Event(
        EventId(new_uuid7()), (await book.told(ann.user_id))[0].stream, 9, "x.y", 1, {}, NOW
    )

    await book.inbox_consumer.consume([desk, new])

    assert await codes(book, ann) == []


async def test_reading_and_having_read(book: Book) -> None:
    ann, bob = await book.arrive(), await book.arrive("uid-bob")
    for number in range(5):
        await book.arrive(client=LAPTOP.__class__("192.0.2.1", "x", f"device-{number:04}"))
    await book.inbox_consumer.consume(await book.told(ann.user_id))
    page = await book.inbox.page(ann, unread_only=True, first=2, after=None)
    assert isinstance(page, Page)
    ids = [edge.node.id for edge in page.edges]

    assert await book.inbox.unread(ann) == 5
    assert await book.inbox.mark_read(bob, ids) == 0  # not theirs
    assert await book.inbox.unread(ann) == 5
    assert await book.inbox.mark_read(ann, [*ids, NotificationId(new_uuid7())]) == 3
    rest = await book.inbox.page(ann, unread_only=True, first=10, after=page.page_info.end_cursor)
    assert isinstance(rest, Page)
    assert len(rest.edges) == 3
    assert isinstance(await book.inbox.mark_read(ann, ids * 51), BadInput)
    assert await book.inbox.mark_all_read(ann) == 0
    foreign = await book.account.activity(ann, first=1, after=None)
    assert isinstance(foreign, Page)
    cursor = foreign.page_info.end_cursor
    refused = await book.inbox.page(ann, unread_only=False, first=2, after=cursor)
    assert isinstance(refused, BadInput)


async def test_an_export_is_whole_valid_and_nobody_elses(book: Book) -> None:
    ann = await book.arrive()
    bob = await book.arrive("uid-bob", email="bob@example.org", display_name="Bob Stranger")
    await book.account.update_profile(
        ann, ProfileChange(legal_name="Ann Lee", country="DE", phone="+4915112345678")
    )
    quiet = SettingsChange(quiet_hours=QuietHours(time(22), time(7)))
    await book.account.update_settings(ann, quiet)
    await book.arrive(client=LAPTOP)
    await book.inbox_consumer.consume(await book.told(ann.user_id))

    export = await book.export.of_caller(ann)

    document: dict[str, Any] = json.loads(export.document)
    assert set(document) == {
        *("createdAt", "account", "profile", "settings"),
        *("sessions", "notifications", "activity"),
    }
    assert document["account"]["email"] == "ann@example.org"
    assert document["account"]["roles"] == ["USER"]
    assert document["profile"]["legal_name"] == "Ann Lee"
    assert document["settings"]["quiet_hours"] == {"start": "22:00:00", "end": "07:00:00"}
    assert document["settings"]["notifications"]["SECURITY"] == ["EMAIL", "INBOX", "PUSH"]
    assert len(document["sessions"]) == 2
    assert [one["code"] for one in document["notifications"]] == ["NEW_DEVICE"]
    assert document["activity"][0]["action"] == "data.exported"
    assert document["activity"][0]["address"] == "192.0.2.7"
    for foreign in ("bob", "Bob", str(bob.user_id)):
        assert foreign not in export.document


def factor(book: Book) -> None:
    enrolled = {"totp": NOW - timedelta(days=2)}
    book.firebase.accounts["uid-ann"] = FirebaseAccount(
        disabled=False, valid_since=NOW - timedelta(days=9), second_factors=enrolled
    )


async def test_permissions_refuse_as_the_real_thing_would(book: Book) -> None:
    factor(book)
    ann = await book.arrive(second_factor="totp", signed_in_at=NOW)

    assert (await book.permissions.check(ann, Action.ERASE_ACCOUNT)).allowed
    assert (await book.permissions.check(ann, Action.UPDATE_LEGAL_IDENTITY)).allowed
    book.holds.why, book.holds.identity_locked = ("BALANCES",), True
    erase = await book.permissions.check(ann, Action.ERASE_ACCOUNT)
    legal = await book.permissions.check(ann, Action.UPDATE_LEGAL_IDENTITY)
    office = await book.permissions.check(ann, Action.USE_BACK_OFFICE)

    assert [o.error for o in erase.obstacles] == [CannotErase(("BALANCES",))]
    assert await book.account.request_erasure(ann) == erase.obstacles[0].error
    assert [o.error for o in legal.obstacles] == [LegalIdentityLocked("legalName")]
    assert [o.error for o in office.obstacles] == [Forbidden()]
    for action in (Action.UPDATE_PROFILE, Action.EXPORT_DATA, Action.REVOKE_SESSION):
        assert (await book.permissions.check(ann, action)).allowed


@pytest.mark.parametrize("verified", [True, False])
async def test_asking_about_a_step_up_spends_nothing(book: Book, verified: bool) -> None:
    factor(book)
    without = await book.arrive(email_verified=verified)
    fresh = await book.arrive(
        client=LAPTOP, second_factor="totp", signed_in_at=NOW, email_verified=verified
    )

    asked = await book.permissions.check(without, Action.EXPORT_DATA)
    for _ in range(2):
        assert (await book.permissions.check(fresh, Action.EXPORT_DATA)).allowed

    errors = [obstacle.error for obstacle in asked.obstacles]
    assert errors[0] == StepUpRequired(300, ("totp",))
    assert (EmailNotVerified() in errors) is not verified
    assert book.grants.spent == set()
