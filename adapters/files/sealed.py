"""Files sealed with their owner's data key, in frames, so that neither end needs all of a file.

``OKD1``, then frames: four bytes of length, then as many of a sealed value. The place of each is
the file, its number, and whether it is the last: frames cannot be swapped, left out or cut off.
Destroying the owner's key makes every one of their files unreadable, in backups too.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import BinaryIO, Protocol
from uuid import UUID

import structlog

from adapters.files.local import LocalFolder, Writing
from adapters.vault import DataKey, Tampered
from domain.wallets.papers.ports import FileDamaged

log = structlog.get_logger()

FRAME_BYTES = 64 * 1024
_MAGIC = b"OKD1"
_LENGTH_BYTES = 4
# What sealing adds is 29 bytes; more than this is not a frame of ours.
_SEALED_BYTES_MAX = FRAME_BYTES + 64


class DataKeys(Protocol):
    """Whose keys there are. Raises Unavailable, TimedOut."""

    async def key_of(self, owner: UUID) -> DataKey | None:
        """None when it was destroyed, or never made."""
        ...


class SealingWriter:
    """Seals what is written, frame by frame."""

    def __init__(self, writing: Writing, key: DataKey, file: UUID) -> None:
        self._writing = writing
        self._key = key
        self._file = file
        self._waiting = bytearray()
        self._number = 0

    async def write(self, data: bytes) -> None:
        """Raises Unavailable."""
        self._waiting += data
        # A frame is written when there is something behind it: the last one says that it is.
        while len(self._waiting) > FRAME_BYTES:
            frame = bytes(self._waiting[:FRAME_BYTES])
            del self._waiting[:FRAME_BYTES]
            await self._put(frame, last=False)

    async def end(self) -> None:
        await self._put(bytes(self._waiting), last=True)

    async def _put(self, frame: bytes, *, last: bool) -> None:
        sealed = self._key.seal_bytes(frame, place=_place(self._file, self._number, last=last))
        self._number += 1
        await self._writing.write(len(sealed).to_bytes(_LENGTH_BYTES, "big") + sealed)


class SealedFiles:
    """Implements domain.wallets.papers.ports.StatementFiles."""

    def __init__(self, folder: LocalFolder, keys: DataKeys) -> None:
        self._folder = folder
        self._keys = keys
        self.place = folder.place

    @asynccontextmanager
    async def writing(self, owner: UUID, file: UUID) -> AsyncIterator[SealingWriter | None]:
        key = await self._keys.key_of(owner)
        if key is None:
            yield None
            return
        async with self._folder.writing(file) as writing:
            await writing.write(_MAGIC)
            writer = SealingWriter(writing, key, file)
            yield writer
            await writer.end()

    async def reading(self, owner: UUID, file: UUID) -> "OpenedFile | None":
        """Raises FileDamaged, also while it is read."""
        key = await self._keys.key_of(owner)
        if key is None:
            return None
        opened = await self._folder.reading(file)
        if opened is None:
            return None
        frames = _frames(opened, key, file)
        # The first is opened here: who cannot read it must not be told that all is well.
        first = await anext(frames)
        return OpenedFile(first, frames)

    async def delete(self, file: UUID) -> None:
        await self._folder.delete(file)

    async def sweep(self, *, older_than: timedelta, parts_older_than: timedelta) -> int:
        return await self._folder.sweep(older_than=older_than, parts_older_than=parts_older_than)


class OpenedFile:
    """Implements domain.wallets.papers.ports.FileReader."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes, None]) -> None:
        self._first = first
        self._rest = rest

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        yield self._first
        async for frame in self._rest:
            yield frame

    async def aclose(self) -> None:
        """Close the file, read or not: a generator that never ran would leave it open."""
        await self._rest.aclose()


async def _frames(file: BinaryIO, key: DataKey, name: UUID) -> AsyncGenerator[bytes, None]:
    frames = _opened(file, key, name)
    try:
        async with aclosing(frames):
            async for frame in frames:
                yield frame
    except Tampered as error:
        # Its name says where to look, and nothing of whose it is.
        log.error("file_damaged", file=str(name), what=str(error))  # noqa: TRY400  # no bug of ours
        raise FileDamaged(str(name)) from error


async def _opened(file: BinaryIO, key: DataKey, name: UUID) -> AsyncGenerator[bytes, None]:
    with file:
        if await asyncio.to_thread(file.read, len(_MAGIC)) != _MAGIC:
            raise Tampered("this is not a sealed file")
        number, sealed = 0, await asyncio.to_thread(_next, file)
        while sealed is not None:
            following = await asyncio.to_thread(_next, file)
            place = _place(name, number, last=following is None)
            yield key.open_bytes(sealed, place=place)
            number, sealed = number + 1, following
        if number == 0:
            raise Tampered("this file has no end")


def _next(file: BinaryIO) -> bytes | None:
    """The next sealed frame; None at the end of the file."""
    length = file.read(_LENGTH_BYTES)
    if not length:
        return None
    wanted = int.from_bytes(length, "big")
    if len(length) < _LENGTH_BYTES or wanted > _SEALED_BYTES_MAX:
        raise Tampered("this is not a sealed file")
    return file.read(wanted)  # what is short does not open


def _place(file: UUID, number: int, *, last: bool) -> str:
    return f"file:{file}:{number}:{'last' if last else 'more'}"
