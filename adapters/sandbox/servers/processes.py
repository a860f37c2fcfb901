"""Processes as the kernel sees them: parents' deaths, zombies, and who works in a directory."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from adapters.sandbox.servers.accounts import Account

_PR_SET_PDEATHSIG = 1
_PROC = Path("/proc")


def clean_environment(home: Path) -> dict[str, str]:
    """Build the servers' environment: no PG* or LANG of the caller reaches them."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(home)}


def dies_with_parent(signal_number: signal.Signals) -> Callable[[], None] | None:
    """Build a preexec function that has the kernel signal the child when its parent dies.

    None outside of Linux, where orphans are stopped by the next keeper instead.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # Loaded before the fork: the child of a fork should not load.
    parent = os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # The parent died before the request was placed.
            os._exit(1)

    return in_child


def exit_reason(return_code: int) -> str:
    if return_code >= 0:
        return f"exited with status {return_code}"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(-return_code).name}"
    return f"was ended by signal {-return_code}"


def recorded_pid(pid_file: Path) -> int | None:
    """Read the pid from a server's own pid file; None when there is none."""
    try:
        return int(pid_file.read_text("utf-8", "replace").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def workers_in(directory: Path, program: str, pid_file: Path, account: Account) -> list[int]:
    """Find the living processes of a program that work in a directory; zombies do not count."""
    if not _PROC.joinpath("self/stat").exists():
        pid = recorded_pid(pid_file)
        return [pid] if pid is not None and _ps_name(pid).endswith(program) else []
    with _seen_as(account):
        return [
            int(entry.name)
            for entry in _PROC.iterdir()
            if entry.name.isdigit() and _works_in(entry, directory, program)
        ]


def signal_quietly(pid: int, signal_number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal_number)


def _works_in(process: Path, directory: Path, program: str) -> bool:
    try:
        # "pid (comm) state ...": the name may hold spaces and parentheses of its own.
        name, _, rest = process.joinpath("stat").read_text("utf-8", "replace").rpartition(")")
        if rest.split()[0] in "ZX" or name.partition("(")[2] != program:
            return False
        return process.joinpath("cwd").readlink() == directory
    except (OSError, IndexError):
        return False


@contextmanager
def _seen_as(account: Account) -> Iterator[None]:
    # In a container root usually lacks CAP_SYS_PTRACE, and then only the same user may read where
    # a process works. The keeper has one thread, so nobody else notices the change.
    if not account.demoted:
        yield
        return
    uid, gid = os.geteuid(), os.getegid()
    os.setegid(account.gid)
    os.seteuid(account.uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)


def _ps_name(pid: int) -> str:
    done = subprocess.run(  # noqa: S603 - fixed arguments and a number
        ["/bin/ps", "-p", str(pid), "-o", "comm="], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
