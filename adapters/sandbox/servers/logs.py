"""Log files that never fill a disk."""

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

_BYTES_MAX = 10 * 2**20


def opened(path: Path) -> BinaryIO:
    """Open a log for appending, readable by its owner alone."""
    bound(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab")


def bound(path: Path) -> None:
    """Empty a log that has grown too long; whoever appends to it goes on at the new end."""
    with suppress(OSError):
        if path.stat().st_size > _BYTES_MAX:
            os.truncate(path, 0)


def last_words(path: Path) -> str:
    """Read the last lines, on one line; empty when there are none."""
    with suppress(OSError), path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - 1000))
        lines = log.read().decode("utf-8", "replace").strip().split("\n")
        return " | ".join(line.strip() for line in lines[-4:])
    return ""
