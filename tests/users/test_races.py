"""Signing in while access is taken away: whoever is first, nobody keeps what was ended."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from domain.kernel.viewer import Viewer
from domain.users.authentication import DEVICES_PER_SIGN_IN_MAX
from domain.users.errors import AccountErased, AccountFrozen, SessionEnded
from domain.users.model import Client, UserState
from tests.users.conftest import Book
from tests.users.people import LAPTOP, NOW, PHONE, sign_in
from tests.world import DatabaseUrls

LATER = NOW + timedelta(minutes=5)


def device(number: int) -> Client:
    return Client("192.0.2.8", "OKD/1.0", f"device-{number:04}")


async def living(book: Book, viewer: Viewer) -> int:
    assert viewer.user_id is not None
    return len(await book.accounts.sessions(viewer.user_id, active_only=True, first=100))


@pytest.mark.parametrize("turn", range(4))
async def test_no_session_survives_a_freeze_it_began_beside(book: Book, turn: int) -> None:
    owner = await book.arrive()
    assert owner.user_id is not None
    arriving = [book.authentication.viewer(sign_in(signed_in_at=NOW), device(n)) for n in range(6)]
    arriving.insert(turn * 2, book.account.freeze(owner))  # type: ignore[arg-type]

    await asyncio.gather(*arriving)

    assert await living(book, owner) == 0
    staff = await book.arrive("uid-support")
    book.clock.move(minutes=1)
    await book.back_office.unfreeze(staff, owner.user_id, "called back")
    for number in range(8):  # known devices and new ones, with tokens from before
        again = await book.authentication.viewer(sign_in(signed_in_at=NOW), device(number))
        assert again == SessionEnded()
    assert await living(book, owner) == 0


async def test_a_sign_in_while_frozen_begins_nothing_that_lives_on(book: Book) -> None:
    owner = await book.arrive()
    assert owner.user_id is not None
    await book.account.freeze(owner)
    told = len(await book.told(owner.user_id))
    book.clock.move(minutes=5)

    for number in range(30):
        knocking = sign_in(signed_in_at=LATER, email=f"thief{number}@example.org", issued_at=LATER)
        assert await book.authentication.viewer(knocking, device(number)) == AccountFrozen()

    assert len(await book.told(owner.user_id)) == told
    denied = [line for line in await book.lines(owner.user_id) if line.result == "DENIED"]
    assert [line.action for line in denied] == ["session.created"]
    assert (await book.account.user(owner)).email == "ann@example.org"
    book.clock.move(minutes=61)
    await book.authentication.viewer(sign_in(signed_in_at=LATER), device(1))
    denied = [line for line in await book.lines(owner.user_id) if line.result == "DENIED"]
    assert len(denied) == 2


async def test_a_revoked_token_does_not_come_back_as_another_device(book: Book) -> None:
    phone = await book.arrive()
    thief = await book.arrive(client=device(1))
    assert thief.signed_in is not None
    await book.sessions.revoke(phone, thief.signed_in.session_id)  # type: ignore[arg-type]

    for client in (device(1), device(2), Client("192.0.2.8", "OKD/1.0", None)):
        assert await book.authentication.viewer(sign_in(), client) == SessionEnded()
    assert isinstance(await book.authentication.viewer(sign_in(), PHONE), Viewer)
    assert await living(book, phone) == 1


async def test_one_token_with_many_names_makes_few_sessions_and_messages(book: Book) -> None:
    owner = await book.arrive()
    arrived = [await book.arrive(client=device(number)) for number in range(40)]

    # As many names as there may be, and one session for all the others.
    assert await living(book, owner) == DEVICES_PER_SIGN_IN_MAX + 1
    told = [e for e in await book.told(owner.user_id) if e.type == "session.created"]
    assert len(told) == DEVICES_PER_SIGN_IN_MAX + 1
    sessions = [viewer.signed_in.session_id for viewer in arrived if viewer.signed_in]
    assert len(set(sessions[-30:])) == 1
    assert (await book.arrive(client=device(0))).signed_in == arrived[0].signed_in
    another = await book.arrive(client=device(40), signed_in_at=NOW)
    assert another.signed_in is not None
    assert another.signed_in.session_id not in sessions

    await book.sessions.revoke(owner, sessions[-1])  # type: ignore[arg-type]
    assert await book.authentication.viewer(sign_in(), device(41)) == SessionEnded()


async def test_ending_the_others_ends_those_not_seen_yet(book: Book) -> None:
    phone = await book.arrive()
    await book.sessions.revoke_others(phone)

    unseen = sign_in(signed_in_at=NOW - timedelta(seconds=10))
    assert await book.authentication.viewer(unseen, LAPTOP) == SessionEnded()
    assert isinstance(await book.authentication.viewer(sign_in(), PHONE), Viewer)
    fresh = sign_in(signed_in_at=NOW + timedelta(seconds=1))
    assert isinstance(await book.authentication.viewer(fresh, LAPTOP), Viewer)


async def test_revoking_beside_a_sign_in_leaves_the_caller_alone(book: Book) -> None:
    phone = await book.arrive()
    book.clock.move(minutes=10)

    _, *arrived = await asyncio.gather(
        book.sessions.revoke_others(phone),
        *(book.authentication.viewer(sign_in(signed_in_at=NOW), device(n)) for n in range(6)),
    )
    # Signed in before the others were ended: whoever was quicker is ended, too.
    assert await living(book, phone) == 1
    for number, outcome in enumerate(arrived):
        assert isinstance(outcome, Viewer | SessionEnded)
        again = await book.authentication.viewer(sign_in(signed_in_at=NOW), device(number))
        assert again == SessionEnded()


async def test_erased_beside_a_sign_in_leaves_no_session_and_no_key(
    book: Book, database_urls: DatabaseUrls
) -> None:
    owner = await book.arrive()
    assert owner.user_id is not None
    await book.account.request_erasure(owner)
    book.clock.move(days=15)

    outcomes = await asyncio.gather(
        *(book.authentication.viewer(sign_in(signed_in_at=NOW), device(n)) for n in range(3)),
        book.erasure.erase_due(),
        *(book.authentication.viewer(sign_in(signed_in_at=NOW), device(n)) for n in range(3, 6)),
    )

    assert [owner.user_id] in outcomes
    assert await living(book, owner) == 0
    for number in range(9):
        again = await book.authentication.viewer(sign_in(signed_in_at=LATER), device(number))
        assert again == AccountErased()
    admin = await asyncpg.connect(database_urls.owner)
    assert await admin.fetchval("SELECT count(*) FROM users.data_key") == 0
    await admin.close()
    gone = await book.accounts.user(owner.user_id)
    assert gone is not None
    assert (gone.state, gone.email) == (UserState.ERASED, None)


async def test_an_old_token_does_not_bring_the_old_address_back(book: Book) -> None:
    owner = await book.arrive(email="old@example.org")
    new = sign_in(email="new@example.org", issued_at=NOW + timedelta(minutes=1))
    old = sign_in(email="old@example.org")

    for arriving in (new, old, new, old):
        assert isinstance(await book.authentication.viewer(arriving, PHONE), Viewer)

    assert (await book.account.user(owner)).email == "new@example.org"


async def test_held_and_failing_accounts_hold_up_no_erasure(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewers = [await book.arrive(f"uid-{n}") for n in range(5)]
    for viewer in viewers:
        await book.account.request_erasure(viewer)
    book.clock.move(days=15)
    held = {viewers[0].user_id, viewers[1].user_id}
    monkeypatch.setattr("domain.users.erasure.BATCH", 1)

    async def reasons(user_id: object) -> tuple[str, ...]:
        return ("LEGAL_HOLD",) if user_id in held else ()

    monkeypatch.setattr(book.holds, "reasons", reasons)
    book.firebase.failing = {"uid-2"}

    assert set(await book.erasure.erase_due()) == {viewers[3].user_id, viewers[4].user_id}
    book.firebase.failing = set()
    assert await book.erasure.erase_due() == [viewers[2].user_id]
    # The grace is over: what the worker may have begun is not taken back.
    waiting = await book.account.withdraw_erasure(viewers[0])
    assert waiting.state is UserState.ERASING


async def test_firebase_being_away_takes_no_freeze_back(book: Book) -> None:
    owner = await book.arrive()
    book.firebase.failing = {"uid-ann"}

    frozen = await book.account.freeze(owner)

    assert frozen.state is UserState.FROZEN
    assert book.signals.told == [(owner.user_id, None)]
