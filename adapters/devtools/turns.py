"""Taking turns: what two ./dev must not do at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from adapters.supervisor.terminal import say


@contextlib.contextmanager
def alone(folder: Path, *, while_waiting: str) -> Iterator[None]:
    """Let one at a time in; the lock is on the folder itself, so no file is left."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(while_waiting)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
