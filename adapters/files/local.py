"""A folder whose files are there as a whole or not at all, also after the power went.

What is being written has another name; it gets its own once all of it is on the disk. Blocking
calls run in threads.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar
from uuid import UUID, uuid4

from domain.kernel.failures import Unavailable

T = TypeVar("T")

WHAT = "file storage"
_PART = ".part"
_MARK = "place"
# Of what is in the folder nothing else is ever deleted: it may be somebody's by mistake.
_OURS = re.compile(r"(place\.)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\.part)?")
_FOLDER_MODE = 0o700
_FILE_MODE = 0o600


class Writing:
    """A file that is being written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def write(self, data: bytes) -> None:
        """Raises Unavailable."""
        await _in_thread(self._file.write, data)


class LocalFolder:
    """Writes, reads and deletes files by name. Raises Unavailable when the disk says no."""

    def __init__(self, folder: Path) -> None:
        """Make the folder, and give it a name of its own the first time. Raises OSError."""
        self._folder = folder
        folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        self.place = _mark(folder / _MARK)

    @asynccontextmanager
    async def writing(self, name: UUID) -> AsyncIterator[Writing]:
        """There once the block ends, and never there when it raises."""
        part = self._folder / f"{name}{_PART}"
        file = await _in_thread(_opened, part)
        try:
            try:
                yield Writing(file)
                await _in_thread(_settled, file)
            finally:
                with _translated():
                    file.close()
            await _in_thread(_published, part, self._path(name))
        except BaseException:
            # Cancelled, too: not awaited, for whoever cancels waits for us.
            part.unlink(missing_ok=True)
            raise

    async def reading(self, name: UUID) -> BinaryIO | None:
        """Open for reading; the caller closes it. None when it is gone."""
        try:
            return await _in_thread(self._path(name).open, "rb")
        except _Missing:
            return None

    async def delete(self, name: UUID) -> None:
        """Deleting what is gone is done already."""
        await _in_thread(lambda: self._path(name).unlink(missing_ok=True))

    async def sweep(self, *, older_than: timedelta, parts_older_than: timedelta) -> int:
        """Delete what was last written so long ago, whole or a part; returns how many.

        By the disk's own time, which no sandbox's clock moves.
        """
        return await _in_thread(
            self._swept, older_than.total_seconds(), parts_older_than.total_seconds()
        )

    def _swept(self, seconds: float, parts_seconds: float) -> int:
        now = time.time()
        old = [
            path
            for path in self._folder.iterdir()
            if _OURS.fullmatch(path.name)
            and path.is_file()
            and _written_at(path) < now - (parts_seconds if path.suffix == _PART else seconds)
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _path(self, name: UUID) -> Path:
        return self._folder / str(name)


class _Missing(Unavailable):
    """There is no such file: for whoever can make something of it."""


async def _in_thread(call: Callable[..., T], *arguments: object) -> T:
    with _translated():
        return await asyncio.to_thread(call, *arguments)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise _Missing(WHAT) from error
    except OSError as error:
        raise Unavailable(WHAT) from error


def _mark(path: Path) -> UUID:
    """Read what the folder is called; whoever comes first says so."""
    part = path.with_name(f"{_MARK}.{uuid4()}")
    part.write_text(str(uuid4()), "ascii")
    try:
        os.link(part, path)  # unlike a rename, never over one that is there
    except FileExistsError:
        pass
    finally:
        part.unlink()
    return UUID(path.read_text("ascii"))


def _opened(path: Path) -> BinaryIO:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _FILE_MODE)
    return os.fdopen(descriptor, "wb")


def _settled(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _published(part: Path, path: Path) -> None:
    part.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # the name is the folder's content
    finally:
        os.close(folder)


def _written_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # somebody else swept
        return float("inf")
