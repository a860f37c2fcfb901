"""Accounts and sessions in the database: made once, sealed, read back as they were."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from domain.kernel.ids import new_uuid7
from domain.kernel.viewer import Role
from domain.users.events import session_created, user_created
from domain.users.model import (
    ActivityResult,
    Notification,
    NotificationId,
    Profile,
    Session,
    SessionEnd,
    Topic,
    User,
    UserState,
    default_settings,
)
from domain.users.ports import ActivityQuery, UserQuery
from tests import canaries
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW, PHONE, sign_in
from tests.world import DatabaseUrls


async def join(book: Book, uid: str = "uid-ann", client: object = PHONE) -> tuple[User, Session]:
    arriving = sign_in(uid)
    async with book.works.begin() as work:
        user, _ = await work.users.found_or_made(arriving, now=NOW)
        session, _ = await work.sessions.found_or_made(user, arriving, client, now=NOW)  # type: ignore[arg-type]
    return user, session


async def test_a_person_is_made_on_first_sight_and_known_from_then_on(book: Book) -> None:
    assert await book.accounts.known(sign_in(), "phone-0001") is None

    user, session = await join(book)
    known = await book.accounts.known(sign_in(), "phone-0001")
    elsewhere = await book.accounts.known(sign_in(), "laptop-0001")

    assert known is not None
    assert (known.user, known.session) == (user, session)
    assert (user.email, user.email_verified, user.roles) == (
        "ann@example.org",
        True,
        frozenset({Role.USER}),
    )
    assert elsewhere is not None
    assert (elsewhere.user, elsewhere.session) == (user, None)
    assert await book.accounts.profiles([user.id]) == {user.id: Profile(user.id, canaries.NAME)}
    assert await book.accounts.settings(user.id) == default_settings(user.id)


async def test_a_burst_makes_one_account_and_one_session(book: Book) -> None:
    arrived = await asyncio.gather(*(join(book) for _ in range(12)))

    assert len({user.id for user, _ in arrived}) == 1
    assert len({session.id for _, session in arrived}) == 1


async def test_the_same_address_is_not_the_same_person(book: Book) -> None:
    ann, _ = await join(book, "uid-ann")
    impostor, _ = await join(book, "uid-impostor")

    found = await book.accounts.find(UserQuery(email="ANN@example.org"), first=10, after=None)

    assert ann.id != impostor.id
    assert [user.id for user in found] == sorted([ann.id, impostor.id])


async def test_no_personal_data_lies_open(book: Book, database_urls: DatabaseUrls) -> None:
    user, _ = await join(book)
    async with book.works.begin() as work:
        profile = await work.users.profile(user.id)
        await work.users.save_profile(
            replace(profile, legal_name=f"{canaries.NAME} Lee", phone="+15550100")
        )
        work.activity.add(
            actor_id=user.id,
            subject_id=user.id,
            action="profile.updated",
            result=ActivityResult.SUCCEEDED,
            now=NOW,
            client=PHONE,
            details={"reason": "Called from Vladivostok", "count": "1"},
        )
    owner = await asyncpg.connect(database_urls.owner)
    dump = ""
    for table in ("account", "profile", "session", "activity", "data_key", "settings"):
        rows = await owner.fetch(f"SELECT * FROM users.{table}")  # noqa: S608  # our own names
        dump += "".join(repr(tuple(row.values())) for row in rows)
    agents = await owner.fetchval("SELECT count(agent) FROM users.activity")
    await owner.close()

    assert agents == 0  # sealed; of a session it is in clear until its person is erased
    for secret in (
        "ann@example.org",
        canaries.NAME,
        "Lee",
        "+15550100",
        "192.0.2.7",
        "Vladivostok",
    ):
        assert secret not in dump
        assert secret.encode().hex() not in dump
    log = await book.accounts.activity(ActivityQuery(subject_id=user.id), first=5, before=None)
    assert [(line.action, line.address, line.agent) for line in log] == [
        ("profile.updated", "192.0.2.7", PHONE.agent)
    ]
    assert log[0].details == {"reason": "Called from Vladivostok", "count": "1"}


async def test_shredding_leaves_nothing_readable(book: Book) -> None:
    user, _ = await join(book)
    async with book.works.begin() as work:
        work.activity.add(
            actor_id=user.id,
            subject_id=user.id,
            action="user.frozen",
            result=ActivityResult.SUCCEEDED,
            now=NOW,
            client=PHONE,
            details={"reason": "Called from Vladivostok", "count": "1"},
        )
        await work.activity.write()
        await work.users.shred(user.id)
        await work.users.save(
            replace(user, state=UserState.ERASED, email=None, email_verified=False)
        )

    gone = await book.accounts.user(user.id)
    assert gone is not None
    assert (gone.state, gone.email) == (UserState.ERASED, None)
    assert (await book.accounts.profiles([user.id]))[user.id] == Profile(user.id)
    (session,) = await book.accounts.sessions(user.id, active_only=False, first=100)
    assert (session.address, session.agent, session.device_id) == ("", "", str(session.id))
    assert await book.accounts.find(UserQuery(email="ann@example.org"), first=5, after=None) == []
    log = await book.accounts.activity(ActivityQuery(subject_id=user.id), first=5, before=None)
    assert [(line.details, line.agent, line.address) for line in log] == [
        ({"count": "1"}, None, None)
    ]


async def test_ends_exactly_that_session_once(book: Book) -> None:
    user, on_phone = await join(book)
    _, on_laptop = await join(book, client=LAPTOP)
    stranger, theirs = await join(book, "uid-bob")

    async with book.works.begin() as work:
        ended = await work.sessions.end(
            user.id, [on_phone.id, theirs.id], SessionEnd.REVOKED, now=NOW
        )
    async with book.works.begin() as work:
        again = await work.sessions.end(user.id, [on_phone.id], SessionEnd.SIGNED_OUT, now=NOW)

    assert list(ended) == [on_phone.id]
    assert list(again) == []
    living = await book.accounts.sessions(user.id, active_only=True, first=100)
    assert [session.id for session in living] == [on_laptop.id]
    assert len(await book.accounts.sessions(stranger.id, active_only=True, first=100)) == 1
    devices = {device.id: device for device in await book.accounts.devices(user.id, first=100)}
    assert {name: device.active_sessions for name, device in devices.items()} == {
        "phone-0001": 0,
        "laptop-0001": 1,
    }


async def test_one_session_and_one_notification_are_their_owners(book: Book) -> None:
    user, session = await join(book)
    stranger, _ = await join(book, "uid-bob")
    notification = Notification(
        id=NotificationId(new_uuid7()),
        user_id=user.id,
        topic=Topic.SECURITY,
        code="NEW_DEVICE",
        values={},
        created_at=NOW,
        event_id=new_uuid7(),
    )
    async with book.works.begin() as work:
        await work.inbox.add(notification)
        await work.sessions.end(user.id, [session.id], SessionEnd.REVOKED, now=NOW)

    found = await book.accounts.session(user.id, session.id)
    assert found is not None
    assert (found.id, found.ended_by) == (session.id, SessionEnd.REVOKED)
    assert await book.accounts.notification(user.id, notification.id) == notification
    assert await book.accounts.session(stranger.id, session.id) is None
    assert await book.accounts.notification(stranger.id, notification.id) is None


async def test_last_seen_is_written_once_a_minute(book: Book) -> None:
    user, session = await join(book)

    await book.accounts.touch(session.id, now=NOW + timedelta(seconds=59))
    soon = await book.accounts.sessions(user.id, active_only=True, first=100)
    await book.accounts.touch(session.id, now=NOW + timedelta(seconds=61))
    later = await book.accounts.sessions(user.id, active_only=True, first=100)

    assert soon[0].last_seen_at == NOW
    assert later[0].last_seen_at == NOW + timedelta(seconds=61)


async def test_an_event_makes_one_notification(book: Book) -> None:
    user, _ = await join(book)
    event_id = new_uuid7()

    async def notify() -> bool:
        async with book.works.begin() as work:
            return await work.inbox.add(
                Notification(
                    id=NotificationId(new_uuid7()),
                    user_id=user.id,
                    topic=Topic.SECURITY,
                    code="NEW_DEVICE",
                    values={},
                    created_at=NOW,
                    event_id=event_id,
                )
            )

    assert [await notify(), await notify()] == [True, False]
    assert await book.accounts.unread(user.id) == 1


async def test_a_rollback_takes_events_and_log_with_it(
    book: Book, database_urls: DatabaseUrls
) -> None:
    user, session = await join(book)

    async def fail() -> None:
        async with book.works.begin() as work:
            work.events.append(user_created(user.id))
            work.events.append(session_created(user.id, session.id, new_device=True))
            work.activity.add(
                actor_id=user.id,
                subject_id=user.id,
                action="x",
                result=ActivityResult.SUCCEEDED,
                now=NOW,
            )
            await work.desk.grant(user.id, Role.SUPPORT, by=None)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        await fail()

    app = await asyncpg.connect(database_urls.app)
    assert await app.fetchval("SELECT count(*) FROM events.event") == 0
    assert await app.fetchval("SELECT count(*) FROM users.activity") == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute("DELETE FROM users.activity")
    await app.close()
    assert (await book.accounts.users([user.id]))[user.id].roles == frozenset({Role.USER})
