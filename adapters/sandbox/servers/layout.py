"""Where everything lies: the data directory and the directory of the two sockets.

Only sockets lead to the servers, and their directory is 0700: nothing listens on TCP. A socket's
path may have 107 bytes (103 on a Mac), and clients split addresses at commas and colons, so a data
directory with a long or unusual name gets a short socket directory elsewhere, remembered in a file
so that the addresses outlive every restart.
"""

import errno
import os
import re
import stat
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.servers.accounts import Account
from adapters.sandbox.servers.errors import ServersError

POSTGRES_PORT = 5432  # A name, not an address: PostgreSQL calls its socket after the port.
_LONGEST_SOCKET_NAME = f"/.s.PGSQL.{POSTGRES_PORT}"
_SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """The names inside one data directory."""

    data: Path

    @property
    def users_lock(self) -> Path:
        return self.data / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.data / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.data / "keeper.lock"

    @property
    def keeper_log(self) -> Path:
        return self.data / "keeper.log"

    @property
    def state(self) -> Path:
        return self.data / "state.json"

    @property
    def remembered_sockets(self) -> Path:
        return self.data / "sockets"


def make_data_dir(data: Path, account: Account) -> Layout:
    """Create the data directory where it is missing; refuse one that the servers can not enter."""
    mode = 0o711 if account.demoted else 0o700
    missing = [path for path in (data, *data.parents) if not path.exists()]
    try:
        for path in reversed(missing):
            path.mkdir(mode=mode, exist_ok=True)
            path.chmod(mode)  # The umask of root may be 077.
    except OSError as error:
        raise no_room(error, data) from error
    if not os.access(data, os.W_OK | os.X_OK):
        raise ServersError(f"{data} is not writable: choose another data directory.")
    if account.demoted and not _passes_through(data, account):
        raise ServersError(
            f"The user {account.name}, as whom root runs the servers, can not enter {data}: choose"
            " a data directory outside of private folders (default_data_dir finds one)."
        )
    return Layout(data)


def _passes_through(data: Path, account: Account) -> bool:
    # 0711 can be entered but not read, so the question is asked of a directory inside.
    probe = Path(tempfile.mkdtemp(prefix="reach-", dir=data))
    try:
        probe.chmod(0o755)
        return account.reaches(probe)
    finally:
        probe.rmdir()


def no_room(error: OSError, data: Path) -> ServersError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServersError(f"The disk of {data} is full: free some space, then try again.")
    return ServersError(f"{data} can not be used as the data directory: {error.strerror}.")


def make_private(path: Path, account: Account) -> None:
    """Give the servers' user a directory that nobody else but root can enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    if path.stat().st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)


def socket_directory(layout: Layout, account: Account) -> Path:
    """Make, or make again, the directory of the sockets: the same one for the same data."""
    inside = layout.data / "run"
    if _fits(inside):
        make_private(inside, account)
        return inside
    with suppress(OSError):
        remembered = Path(layout.remembered_sockets.read_text("utf-8"))
        if _is_ours(remembered, account) or _made(remembered, account):
            return remembered
    short = _short_directory(account)
    layout.remembered_sockets.write_text(str(short), "utf-8")
    return short


def leave_socket_directory(layout: Layout, sockets: Path) -> None:
    """Remove a short directory, so that no litter stays in the temp directory."""
    if sockets.parent != layout.data:
        with suppress(OSError):
            sockets.rmdir()


def _fits(directory: Path) -> bool:
    path = f"{directory}{_LONGEST_SOCKET_NAME}"
    plain = _PLAIN_PATH.fullmatch(path) is not None
    return plain and len(os.fsencode(path)) <= _SOCKET_PATH_BYTES


def _is_ours(path: Path, account: Account) -> bool:
    # Whoever squats on the name in a shared temp directory must not receive our clients.
    with suppress(OSError):
        found = path.lstat()
        return (
            stat.S_ISDIR(found.st_mode)
            and found.st_uid == account.uid
            and stat.S_IMODE(found.st_mode) == 0o700  # noqa: PLR2004 - the mode of a private directory
        )
    return False


def _made(path: Path, account: Account) -> bool:
    if not _fits(path):
        return False
    with suppress(OSError):
        path.mkdir(mode=0o700)
        os.chown(path, account.uid, account.gid)
        return True
    return False


def _short_directory(account: Account) -> Path:
    # The runtime directory of root is closed to the user the servers run as.
    runtime = None if account.demoted else os.environ.get("XDG_RUNTIME_DIR")
    for parent in (runtime, tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes it private
        if parent is None or not os.access(parent, os.W_OK | os.X_OK):
            continue
        short = Path(tempfile.mkdtemp(prefix="okd-", dir=parent))
        os.chown(short, account.uid, account.gid)
        if _fits(short) and account.reaches(short):
            return short
        short.rmdir()
    raise ServersError(
        "No directory with a short path was found for the servers' sockets: set TMPDIR to one, or"
        " choose a data directory with a shorter path."
    )
