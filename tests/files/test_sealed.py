"""Files nobody reads without their owner's key, and nobody changes, swaps or cuts unseen."""

import os
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from adapters.files import LocalFolder, SealedFiles
from adapters.files.sealed import FRAME_BYTES
from adapters.vault import DataKey
from domain.wallets.papers.ports import FileDamaged

ANN, BOB = uuid4(), uuid4()


@dataclass
class Keys:
    known: dict[UUID, DataKey] = field(
        default_factory=lambda: {each: DataKey(os.urandom(32)) for each in (ANN, BOB)}
    )

    async def key_of(self, owner: UUID) -> DataKey | None:
        return self.known.get(owner)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def files(tmp_path: Path, keys: Keys) -> SealedFiles:
    return SealedFiles(LocalFolder(tmp_path), keys)


async def write(files: SealedFiles, data: bytes, *, owner: UUID = ANN, step: int = 10_000) -> UUID:
    name = uuid4()
    async with files.writing(owner, name) as writer:
        assert writer is not None
        for start in range(0, len(data), step):
            await writer.write(data[start : start + step])
    return name


async def read(files: SealedFiles, name: UUID, *, owner: UUID = ANN) -> bytes | None:
    reader = await files.reading(owner, name)
    if reader is None:
        return None
    async with aclosing(reader):
        return b"".join([chunk async for chunk in reader])


@pytest.mark.parametrize(
    "size", [0, 1, FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 3 * FRAME_BYTES, 200_001]
)
async def test_what_was_written_is_read(files: SealedFiles, size: int):
    data = os.urandom(size)

    assert await read(files, await write(files, data)) == data


async def test_nothing_of_a_file_is_on_the_disk_in_clear(files: SealedFiles, tmp_path: Path):
    name = await write(files, b"a telling word " * 10_000)

    assert b"telling" not in (tmp_path / str(name)).read_bytes()


async def test_only_its_owner_reads_a_file(files: SealedFiles):
    name = await write(files, b"ann's")

    with pytest.raises(FileDamaged):
        await read(files, name, owner=BOB)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_without_a_key_nothing_is_read_and_nothing_is_written(
    files: SealedFiles, keys: Keys, tmp_path: Path
):
    name = await write(files, b"ann's")
    del keys.known[ANN]

    assert await read(files, name) is None
    async with files.writing(ANN, uuid4()) as writer:
        assert writer is None
    assert names(tmp_path) == {"place", str(name)}


async def test_a_deleted_file_is_gone(files: SealedFiles):
    name = await write(files, b"x")

    await files.delete(name)

    assert await read(files, name) is None


async def test_a_file_under_another_name_does_not_open(files: SealedFiles, tmp_path: Path):
    name, other = await write(files, b"x"), uuid4()
    tmp_path.joinpath(str(name)).rename(tmp_path / str(other))

    with pytest.raises(FileDamaged):
        await read(files, other)


def frames_of(path: Path) -> list[bytes]:
    raw, frames = path.read_bytes()[4:], []
    while raw:
        length = 4 + int.from_bytes(raw[:4], "big")
        frames.append(raw[:length])
        raw = raw[length:]
    return frames


@pytest.mark.parametrize(
    "changed",
    [
        lambda f: f[:-1],  # cut off behind a whole frame
        lambda f: [f[1], f[0], f[2]],
        lambda f: [f[0], f[2]],
        lambda f: [*f, f[2]],
        lambda f: [f[0], f[1], f[2][:-1]],
        lambda f: [f[0], f[1][:-1] + bytes([f[1][-1] ^ 1]), f[2]],
        lambda f: [b"\xff\xff\xff\xff" + f[0][4:], f[1], f[2]],
        lambda f: [f[0][:3]],
        lambda _: [],
    ],
)
async def test_a_file_that_was_changed_does_not_open(files: SealedFiles, tmp_path: Path, changed):
    name = await write(files, os.urandom(2 * FRAME_BYTES + 5))
    path = tmp_path / str(name)
    frames = frames_of(path)
    assert len(frames) == 3
    path.write_bytes(b"OKD1" + b"".join(changed(frames)))

    with pytest.raises(FileDamaged):
        await read(files, name)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_reader_that_is_not_read_leaves_no_file_open(files: SealedFiles):
    name = await write(files, os.urandom(3 * FRAME_BYTES))
    before = open_files()

    reader = await files.reading(ANN, name)
    assert reader is not None
    assert open_files() == before + 1
    await reader.aclose()

    assert open_files() == before
