"""A folder whose files are there as a whole or not at all."""

import asyncio
import os
import stat
import time
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.files import LocalFolder
from domain.kernel.failures import Unavailable


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"place"}


async def content(folder: LocalFolder, name) -> bytes | None:
    opened = await folder.reading(name)
    if opened is None:
        return None
    with opened:
        return opened.read()


async def test_a_file_is_there_once_it_is_whole(tmp_path: Path):
    folder, name = LocalFolder(tmp_path), uuid4()

    async with folder.writing(name) as writing:
        await writing.write(b"one ")
        assert await content(folder, name) is None
        assert names(tmp_path) == {f"{name}.part"}
        await writing.write(b"two")

    assert await content(folder, name) == b"one two"
    assert names(tmp_path) == {str(name)}
    assert stat.S_IMODE((tmp_path / str(name)).stat().st_mode) == 0o600


@pytest.mark.parametrize("raised", [ValueError, asyncio.CancelledError])
async def test_a_file_that_was_not_finished_was_never_there(tmp_path: Path, raised):
    folder, name = LocalFolder(tmp_path), uuid4()

    async def half() -> None:
        async with folder.writing(name) as writing:
            await writing.write(b"half")
            raise raised

    with pytest.raises(raised):
        await half()

    assert await content(folder, name) is None
    assert names(tmp_path) == set()


async def test_a_disk_that_says_no_is_a_failure_and_leaves_nothing(tmp_path: Path):
    folder = LocalFolder(tmp_path / "files")
    (tmp_path / "files" / "place").unlink()
    (tmp_path / "files").rmdir()

    with pytest.raises(Unavailable, match="file storage"):
        async with folder.writing(uuid4()):
            pass


async def test_deleting_twice_is_deleting_once(tmp_path: Path):
    folder, name = LocalFolder(tmp_path), uuid4()
    async with folder.writing(name) as writing:
        await writing.write(b"x")

    await folder.delete(name)
    await folder.delete(name)

    assert await folder.reading(name) is None


async def test_only_what_is_old_is_swept_and_never_the_folders_name(tmp_path: Path):
    folder, young, old = LocalFolder(tmp_path), uuid4(), uuid4()
    for name in (young, old):
        async with folder.writing(name) as writing:
            await writing.write(b"x")
    left = tmp_path / f"{uuid4()}.part"
    left.write_bytes(b"half")
    for path in (tmp_path / str(old), left, tmp_path / "place"):
        os.utime(path, (1, 1))

    swept = await folder.sweep(older_than=timedelta(days=8), parts_older_than=timedelta(days=8))

    assert swept == 2
    assert names(tmp_path) == {str(young)}
    assert LocalFolder(tmp_path).place == folder.place


async def test_what_nobody_finished_is_swept_earlier(tmp_path: Path):
    folder, whole = LocalFolder(tmp_path), uuid4()
    async with folder.writing(whole) as writing:
        await writing.write(b"x")
    left, at_work = (tmp_path / f"{uuid4()}.part" for _ in range(2))
    for path in (left, at_work):
        path.write_bytes(b"half")
    hours_ago = time.time() - 2 * 3600
    for path in (tmp_path / str(whole), left):
        os.utime(path, (hours_ago, hours_ago))

    swept = await folder.sweep(older_than=timedelta(days=8), parts_older_than=timedelta(hours=1))

    assert swept == 1
    assert names(tmp_path) == {str(whole), at_work.name}


def test_a_folder_has_one_name_whoever_opens_it(tmp_path: Path):
    places = {LocalFolder(tmp_path / "a").place for _ in range(3)}

    assert len(places) == 1
    assert places != {LocalFolder(tmp_path / "b").place}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["place"]
