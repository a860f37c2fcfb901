"""Rotating the master key: everybody is read all the time, and the old key can go."""

import asyncio

import pytest

from adapters.postgres import Database
from adapters.postgres.users import PostgresAccounts, rotate_keys, rotation
from adapters.vault import BlindIndex, KeyRing, Tampered
from domain.kernel.ids import UserId
from tests.users.conftest import Book

OLD, NEW = b"m" * 32, b"n" * 32
BOTH = KeyRing({"new": NEW, "test": OLD})


async def emails(database: Database, ring: KeyRing, users: list[UserId]) -> set[str | None]:
    accounts = PostgresAccounts(database, ring=ring, index=BlindIndex(b"i" * 32))
    return {user.email for user in (await accounts.users(users)).values()}


async def test_afterwards_the_old_key_is_not_needed(
    book: Book, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 3)
    people = [await book.arrive(f"uid-{n}", email=f"{n}@example.org") for n in range(8)]
    ids = [person.user_id for person in people if person.user_id]
    wanted = {f"{n}@example.org" for n in range(8)}

    done = await asyncio.gather(rotate_keys(database, BOTH), rotate_keys(database, BOTH))

    assert sum(done) == 8
    assert await rotate_keys(database, BOTH) == 0
    assert await emails(database, KeyRing({"new": NEW}), ids) == wanted
    assert await emails(database, BOTH, ids) == wanted
    with pytest.raises(Tampered):
        await emails(database, KeyRing({"test": OLD}), ids)


async def test_a_run_that_was_cut_off_is_finished_by_the_next(
    book: Book, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", 2)
    for number in range(6):
        await book.arrive(f"uid-{number}")
    batch, batches = rotation._batch, iter(range(3))

    async def cut_off(*given: object, **named: object) -> object:
        if next(batches) == 2:
            raise asyncio.CancelledError
        return await batch(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(rotation, "_batch", cut_off)
    with pytest.raises(asyncio.CancelledError):
        await rotate_keys(database, BOTH)
    monkeypatch.setattr(rotation, "_batch", batch)

    assert await rotate_keys(database, BOTH) == 2


async def test_who_was_shredded_meanwhile_stays_so(
    book: Book, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = await book.arrive(), await book.arrive("uid-bob")
    assert ann.user_id is not None
    assert bob.user_id is not None
    batch = rotation._batch

    async def then_shredded(*given: object, **named: object) -> object:
        found = await batch(*given, **named)  # type: ignore[arg-type]
        async with book.works.begin() as work:
            await work.users.shred(UserId(bob.user_id))  # type: ignore[arg-type]
        return found

    monkeypatch.setattr(rotation, "_batch", then_shredded)

    assert await rotate_keys(database, BOTH) == 1
    assert await emails(database, BOTH, [bob.user_id]) == {None}


async def test_a_ring_without_a_key_in_use_says_so(book: Book, database: Database) -> None:
    await book.arrive()

    with pytest.raises(Tampered, match="no master key 'test'"):
        await rotate_keys(database, KeyRing({"new": NEW}))
