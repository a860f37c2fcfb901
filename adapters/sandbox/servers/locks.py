"""Kernel file locks (flock): the only truth about who lives.

A lock ends with its holder, however the holder dies, so nothing here ever trusts a pid. A lock is
ended by closing the descriptor and never by LOCK_UN: a forked child shares the descriptor, and an
unlock in one of the two would take the lock from both.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.servers.errors import ServersError

if sys.platform != "win32":
    import fcntl

POLL_SECONDS = 0.02


@dataclass(slots=True)
class Lock:
    """A held lock; keep it as long as the lock is wanted."""

    path: Path
    fd: int

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def is_current(self) -> bool:
        """Tell whether the path still leads to this lock, or the directory was deleted under us."""
        try:
            there, here = self.path.stat(), os.fstat(self.fd)
        except OSError:
            return False
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def try_exclusive(path: Path) -> Lock | None:
    return _try_lock(path, fcntl.LOCK_EX)


def try_shared(path: Path) -> Lock | None:
    return _try_lock(path, fcntl.LOCK_SH)


def is_held(path: Path) -> bool:
    """Tell whether somebody holds the lock exclusively; creates nothing."""
    if not path.exists():
        return False
    # Shared, so that two who look at the same moment do not see each other.
    lock = try_shared(path)
    if lock is None:
        return True
    lock.close()
    return False


def shared(path: Path, *, timeout_seconds: float, meaning: str) -> Lock:
    deadline = time.monotonic() + timeout_seconds
    while (lock := try_shared(path)) is None:
        _wait(deadline, meaning)
    return lock


def exclusive(path: Path, *, timeout_seconds: float, meaning: str) -> Lock:
    deadline = time.monotonic() + timeout_seconds
    while (lock := try_exclusive(path)) is None:
        _wait(deadline, meaning)
    return lock


@contextmanager
def exclusively(path: Path, *, timeout_seconds: float, meaning: str) -> Iterator[None]:
    lock = exclusive(path, timeout_seconds=timeout_seconds, meaning=meaning)
    try:
        yield
    finally:
        lock.close()


def _wait(deadline: float, meaning: str) -> None:
    if time.monotonic() > deadline:
        raise ServersError(meaning)
    time.sleep(POLL_SECONDS)


def _try_lock(path: Path, kind: int) -> Lock | None:
    try:
        lock = Lock(path, os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except PermissionError as error:
        raise ServersError(
            f"{path.parent} belongs to another user: work as that user, or choose another data"
            " directory."
        ) from error
    try:
        fcntl.flock(lock.fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    except OSError as error:
        lock.close()
        raise ServersError(
            f"{path.parent} lies on a file system without file locks ({error.strerror}): choose a"
            " data directory on a local disk."
        ) from error
    return lock
