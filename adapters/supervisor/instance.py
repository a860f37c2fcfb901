"""One instance per data dir, and the file that tells tools where it is."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.supervisor.terminal import StartError

LOCK_NAME = "instance.lock"
ADDRESSES_NAME = "addresses.json"
_FREE_BYTES_MIN = 300_000_000  # A fresh cluster is 46 MB, its write-ahead log grows on top.


@contextlib.contextmanager
def claimed(data_dir: Path) -> Iterator[bool]:
    """Hold the data dir for this process; yields whether a crashed instance left its traces.

    Raises:
        StartError: Another instance holds it, or the disk has no room for one.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(data_dir).free
    if free < _FREE_BYTES_MIN:
        raise StartError(
            f"The disk of {data_dir} has only {free // 1_000_000} MB free and the sandbox needs "
            f"{_FREE_BYTES_MIN // 1_000_000}. Free some space, or choose another: --data-dir DIR"
        )
    with held(data_dir) as descriptor:
        # Who leaves in good order empties the file; kill -9 leaves its pid.
        left_over = os.fstat(descriptor).st_size > 0
        withdraw(data_dir)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        try:
            yield left_over
        finally:
            withdraw(data_dir)
            os.ftruncate(descriptor, 0)


@contextlib.contextmanager
def held(data_dir: Path, refusal: str | None = None) -> Iterator[int]:
    """Hold the instance lock; yields its descriptor.

    Raises:
        StartError: Somebody else holds it.
    """
    descriptor = os.open(data_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(refusal or _already(data_dir)) from error
        yield descriptor
    finally:
        os.close(descriptor)


def is_running(data_dir: Path) -> bool:
    """Tell whether an instance holds the data dir now."""
    if not (data_dir / LOCK_NAME).exists():
        return False
    try:
        with held(data_dir):
            return False
    except StartError:
        return True


def publish(data_dir: Path, addresses: Mapping[str, object]) -> None:
    """Write addresses.json, readable by the owner only and never half."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{ADDRESSES_NAME}.", dir=data_dir)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:  # mkstemp made it 0600
            json.dump(addresses, file, indent=2)
            file.write("\n")
        Path(temporary).replace(data_dir / ADDRESSES_NAME)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def published(data_dir: Path) -> dict[str, object] | None:
    """Return what the running instance published, or None."""
    try:
        content = json.loads((data_dir / ADDRESSES_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def withdraw(data_dir: Path) -> None:
    (data_dir / ADDRESSES_NAME).unlink(missing_ok=True)


def _already(data_dir: Path) -> str:
    holder = (data_dir / LOCK_NAME).read_text(encoding="utf-8").strip()
    where = (published(data_dir) or {}).get("graphql", "still starting")
    return (
        f"An instance already runs on {data_dir} (pid {holder or 'unknown'}, {where}).\n"
        "Stop it with Ctrl-C where it runs, or run a second one beside it:\n"
        "  ./dev run --data-dir SOME_OTHER_FOLDER --port 8001"
    )
