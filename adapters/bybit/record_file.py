"""The file of a recording: whole lines only, whatever happens to the disk."""

import contextlib
import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from adapters.bybit.record_options import RecordingRefused

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class RecordingFile:
    """One JSON object a line, each written through before the next frame is read."""

    def __init__(self, path: Path, *, force: bool) -> None:
        """Make the file.

        Raises:
            RecordingRefused: It is there already, or cannot be made.
        """
        self._path = path
        self._size = 0
        try:
            # Unbuffered: after kill -9 the frames are there, and a full disk is seen at its line.
            self._file = path.open("wb" if force else "xb", buffering=0)
        except FileExistsError as error:
            message = f"{path} is there already: choose another --out, or overwrite it: --force."
            raise RecordingRefused(message) from error
        except OSError as error:
            raise RecordingRefused(f"{path} cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if self._size == 0 and self._path.is_file():
            self._path.unlink()  # Nobody needs --force to try again what never began.

    def write(self, line: bytes) -> None:
        """Append one line.

        Raises:
            RecordingRefused: The disk takes no more; what was written before can be replayed.
        """
        rest = memoryview(line + b"\n")
        try:
            while rest:
                # A file takes what fits: the error comes with the next write.
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as error:
            with contextlib.suppress(OSError):  # A device has no length, nor half a line.
                os.ftruncate(self._file.fileno(), self._size)  # Half a line could not be replayed.
            raise RecordingRefused(self._sentence(error)) from error
        self._size += len(line) + 1

    def _sentence(self, error: OSError) -> str:
        why = (
            "The disk is full" if error.errno in _NO_ROOM else f"Writing failed ({error.strerror})"
        )
        return f"{why}: {self._path} ends with the last whole frame and can be replayed."
