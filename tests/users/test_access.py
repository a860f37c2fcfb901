"""Who is calling, how sessions end, and what a frozen or erased account may still do."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.errors import NotFound
from domain.kernel.policy import StepUp
from domain.kernel.viewer import Role, Viewer
from domain.users.errors import (
    AccountErased,
    AccountFrozen,
    CannotErase,
    SessionEnded,
    StepUpRequired,
)
from domain.users.model import Client, FrozenBy, Session, SessionEnd, SessionId, User, UserState
from domain.users.ports import FirebaseAccount
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW, PHONE, sign_in


def session_id(viewer: Viewer) -> SessionId:
    assert viewer.signed_in is not None
    return SessionId(viewer.signed_in.session_id)


async def test_first_sight_makes_the_account_and_tells_once(book: Book) -> None:
    viewers = await asyncio.gather(*(book.arrive() for _ in range(8)))

    assert len({viewer.user_id for viewer in viewers}) == 1
    assert len({session_id(viewer) for viewer in viewers}) == 1
    assert viewers[0].roles == frozenset({Role.USER})
    told = await book.told(viewers[0].user_id)
    assert [event.type for event in told] == ["user.created", "session.created"]
    assert told[1].body == {"sessionId": str(session_id(viewers[0])), "newDevice": False}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ann", "Ann"),
        (" a\u202egnp.exe\u200b\n ", "agnp.exe"),
        ("N" * 320, "N" * 100),
        ("\u200b\u2066", None),
        ("", None),
        (None, None),
    ],
)
async def test_a_name_of_a_token_is_held_to_a_profiles_rules(
    book: Book, given: str | None, kept: str | None
) -> None:
    viewer = await book.arrive(display_name=given)

    assert (await book.account.profile(viewer)).display_name == kept


async def test_a_device_never_seen_before_is_news(book: Book) -> None:
    await book.arrive()
    again = await book.arrive(signed_in_at=NOW)
    viewer = await book.arrive(client=LAPTOP)

    told = [e for e in await book.told(viewer.user_id) if e.type == "session.created"]
    assert [event.body["newDevice"] for event in told] == [False, False, True]
    await book.inbox_consumer.consume(await book.told(viewer.user_id))
    await book.inbox_consumer.consume(await book.told(viewer.user_id))
    page = await book.inbox.page(again, unread_only=False, first=10, after=None)
    assert [edge.node.code for edge in page.edges] == ["NEW_DEVICE"]  # type: ignore[union-attr]


async def test_who_names_no_device_is_known_by_what_they_say_they_are(book: Book) -> None:
    viewer = await book.arrive()
    for minute, agent in enumerate(("curl/8", "curl/8", "Mozilla/5.0", "curl/8")):
        nameless = Client("192.0.2.9", agent, None)
        at = NOW + timedelta(minutes=minute)
        viewer = await book.arrive(client=nameless, signed_in_at=at)

    told = [e for e in await book.told(viewer.user_id) if e.type == "session.created"]
    # A thief who leaves the name out is not taken for a program that never had one.
    assert [event.body["newDevice"] for event in told] == [False, True, False, True, False]


async def test_an_address_is_taken_over_only_when_it_is_verified(book: Book) -> None:
    viewer = await book.arrive(email="old@example.org", email_verified=False)
    await book.arrive(email="new@example.org", email_verified=False)
    before = await book.account.user(viewer)
    await book.arrive(email="new@example.org", email_verified=True)
    after = await book.account.user(viewer)

    assert (before.email, before.email_verified) == ("old@example.org", False)
    assert (after.email, after.email_verified) == ("new@example.org", True)


async def test_revoking_ends_exactly_that_session_even_for_a_refreshed_token(book: Book) -> None:
    phone = await book.arrive()
    laptop = await book.arrive(client=LAPTOP)
    stranger = await book.arrive("uid-bob")

    refused = await book.sessions.revoke(phone, session_id(stranger))
    ended = await book.sessions.revoke(phone, session_id(laptop))
    later = sign_in(issued_at=NOW + timedelta(hours=1), expires_at=NOW + timedelta(hours=2))

    assert isinstance(refused, NotFound)
    assert isinstance(ended, Session)
    assert ended.ended_by is SessionEnd.REVOKED
    assert await book.authentication.viewer(later, LAPTOP) == SessionEnded()
    assert isinstance(await book.authentication.viewer(later, PHONE), Viewer)
    assert isinstance(await book.sessions.revoke(phone, session_id(laptop)), NotFound)
    assert book.signals.told == [
        (phone.user_id, ()),
        (phone.user_id, (session_id(laptop),)),
        (phone.user_id, ()),
    ]
    assert [e.type for e in await book.told(phone.user_id)][-1] == "session.ended"


async def test_signing_out_and_revoking_the_others(book: Book) -> None:
    phone = await book.arrive()
    laptop = await book.arrive(client=LAPTOP)
    third = await book.arrive(signed_in_at=NOW)

    others = await book.sessions.revoke_others(phone)
    own = await book.sessions.end_current(phone)

    assert {session.id for session in others} == {session_id(laptop), session_id(third)}
    assert [session.ended_by for session in own] == [SessionEnd.SIGNED_OUT]
    assert await book.sessions.active(phone) == []


async def test_freezing_ends_everything_at_once(book: Book) -> None:
    phone = await book.arrive()
    await book.arrive(client=LAPTOP)

    frozen = await book.account.freeze(phone)

    assert (frozen.state, frozen.frozen_by) == (UserState.FROZEN, FrozenBy.OWNER)
    assert await book.authentication.viewer(sign_in(), PHONE) == AccountFrozen()
    assert await book.authentication.viewer(sign_in(signed_in_at=NOW), LAPTOP) == AccountFrozen()
    assert book.signals.told == [(phone.user_id, None)]
    assert book.firebase.revoked == ["uid-ann"]
    assert next(line.result for line in await book.lines(phone.user_id)) == "DENIED"


async def test_staff_unfreezes_and_the_person_signs_in_anew(book: Book) -> None:
    phone = await book.arrive()
    staff = await book.arrive("uid-support")
    await book.account.freeze(phone)
    assert phone.user_id is not None

    thawed = await book.back_office.unfreeze(staff, phone.user_id, "called back, all is well")

    assert isinstance(thawed, User)
    assert thawed.state is UserState.ACTIVE
    assert await book.authentication.viewer(sign_in(), PHONE) == SessionEnded()
    assert await book.authentication.viewer(sign_in(signed_in_at=NOW), PHONE) == SessionEnded()
    anew = sign_in(signed_in_at=NOW + timedelta(seconds=1))
    assert isinstance(await book.authentication.viewer(anew, PHONE), Viewer)


async def test_erasure_waits_can_be_withdrawn_and_then_shreds(book: Book) -> None:
    viewer = await book.arrive()
    book.holds.why = ("BALANCES",)
    assert await book.account.request_erasure(viewer) == CannotErase(("BALANCES",))
    book.holds.why = ()
    await book.account.request_erasure(viewer)
    await book.account.withdraw_erasure(viewer)
    book.clock.move(days=15)
    assert await book.erasure.erase_due() == []

    asked = await book.account.request_erasure(viewer)
    assert isinstance(asked, User)
    assert asked.state is UserState.ERASING
    book.clock.move(days=13)
    assert await book.erasure.erase_due() == []
    assert isinstance(await book.authentication.viewer(sign_in(), PHONE), Viewer)
    book.clock.move(days=2)
    book.holds.why = ("LEGAL_HOLD",)
    assert await book.erasure.erase_due() == []
    book.holds.why = ()
    assert await book.erasure.erase_due() == [viewer.user_id]

    assert await book.erasure.erase_due() == []
    assert book.firebase.deleted == ["uid-ann"]
    assert await book.authentication.viewer(sign_in(), PHONE) == AccountErased()
    assert viewer.user_id is not None
    gone = await book.accounts.user(viewer.user_id)
    assert gone is not None
    assert (gone.state, gone.email) == (UserState.ERASED, None)
    lines = await book.lines(viewer.user_id)
    assert "user.erased" in [line.action for line in lines]
    assert {line.address for line in lines} == {None}


ENROLLED = {"totp": NOW - timedelta(days=3)}
WANTED = StepUp(max_age_seconds=300)


def firebase(**changes: object) -> FirebaseAccount:
    given: dict[str, object] = {
        "disabled": False,
        "valid_since": NOW - timedelta(days=30),
        "second_factors": ENROLLED,
    }
    return FirebaseAccount(**{**given, **changes})  # type: ignore[arg-type]


async def refusal(book: Book, account: FirebaseAccount | None, **changes: Any) -> object:
    if account is not None:
        book.firebase.accounts["uid-ann"] = account
    viewer = await book.arrive(**changes)
    return await book.step_up.refusal(viewer, WANTED, "withdraw:1")


async def test_step_up_takes_a_fresh_second_factor_once(book: Book) -> None:
    first = await refusal(book, firebase(), second_factor="totp", signed_in_at=NOW)
    again = await refusal(book, firebase(), second_factor="totp", signed_in_at=NOW)
    viewer = await book.arrive(second_factor="totp", signed_in_at=NOW)
    other = await book.step_up.refusal(viewer, WANTED, "withdraw:2")
    # The same sign-in under another name is another session, and no other proof.
    renamed = await book.arrive(client=LAPTOP, second_factor="totp", signed_in_at=NOW)
    assert session_id(renamed) != session_id(viewer)
    replayed = await book.step_up.refusal(renamed, WANTED, "withdraw:2")

    assert first is None
    assert again == replayed == StepUpRequired(300, ("totp",))
    assert other is None


async def test_step_up_refuses_what_is_not_fresh_not_second_not_firebases(book: Book) -> None:
    fresh = {"second_factor": "totp", "signed_in_at": NOW}
    asked = StepUpRequired(300, ("totp",))

    assert await refusal(book, firebase(), signed_in_at=NOW) == asked
    old = NOW - timedelta(seconds=301)
    assert await refusal(book, firebase(), second_factor="totp", signed_in_at=old) == asked
    young = firebase(second_factors={"totp": NOW - timedelta(hours=23)})
    assert await refusal(book, young, **fresh) == StepUpRequired(300, ())
    gone = firebase(second_factors={})
    assert await refusal(book, gone, **fresh) == StepUpRequired(300, ())
    assert await refusal(book, firebase(disabled=True), **fresh) == AccountFrozen()
    assert await refusal(book, firebase(valid_since=NOW), **fresh) == SessionEnded()
    del book.firebase.accounts["uid-ann"]
    assert await refusal(book, None, **fresh) == AccountFrozen()
    assert book.grants.spent == set()
