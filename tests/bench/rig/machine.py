"""The operating system's own accounts of a process, and what machine this is.

CPU is utime + stime of /proc/<pid>/stat, which counts all threads and the kernel's work for the
process; memory is VmRSS of /proc/<pid>/status.
"""

import os
import platform
import resource
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("strawberry-graphql", "graphql-core", "starlette", "uvicorn", "uvloop", "websockets")


def cpu_seconds(pids: Collection[int]) -> float:
    """Of the processes together; the dead count nothing, so ask before they end."""
    return sum(_ticks(pid) for pid in pids) / _TICKS_PER_SECOND


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _ticks_of_the_dead(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[13]) + int(fields[14]) if fields else 0


def _stat(pid: int) -> list[str]:
    """From the third field on: the name before it may hold anything."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace")
    except OSError:
        return []
    return told.rpartition(")")[2].split()


def family_cpu_seconds(pid: int) -> float:
    """Of a process, of its living children, and of those it has buried: a PostgreSQL server's."""
    living = sum(_ticks(child) for child in _children(pid))
    return (_ticks(pid) + _ticks_of_the_dead(pid) + living) / _TICKS_PER_SECOND


def _children(pid: int) -> list[int]:
    try:
        told = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii")
    except OSError:
        return []
    return [int(word) for word in told.split()]


def memory_kb(pids: Collection[int]) -> int:
    return sum(_resident_kb(pid) for pid in pids)


def _resident_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), 0)


@dataclass(frozen=True, slots=True)
class Cores:
    """Who runs where, so that the measured server shares its core with nobody of ours."""

    server: tuple[int, ...]
    """One core per web process as long as they last."""
    load: frozenset[int]

    @classmethod
    def split(cls, processes: int = 1) -> "Cores":
        every = sorted(os.sched_getaffinity(0))
        server = tuple(every[:processes])
        return cls(server, frozenset(every[processes:]) or frozenset(every[-1:]))


@contextmanager
def pinned(cores: Collection[int]) -> Iterator[None]:
    """Whatever is started inside stays on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def raise_file_limit() -> int:
    """As many descriptors as the system lets us have, for us and our children."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def obstacles(clients: int) -> list[str]:
    """What the system's settings would do to so many clients; only read, never changed."""
    found = []
    if (files := raise_file_limit()) < clients + 200:
        found.append(f"at most {files} files per process (ulimit -Hn) for {clients} clients")
    backlog = _number("/proc/sys/net/core/somaxconn")
    if backlog is not None and backlog < 2048:
        found.append(f"net.core.somaxconn is {backlog}: a storm of connections overflows it")
    if len(os.sched_getaffinity(0)) < 2:
        found.append("one core: server and load take it from each other, latencies mean little")
    return found


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):
        return None


def description() -> dict[str, object]:
    """The machine and the versions a result belongs to."""
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "node": _first_word(["node", "--version"]),
        "cc": _first_word(["cc", "-dumpfullversion"]),
        "commit": _first_word(["git", "rev-parse", "--short", "HEAD"]),
        "load_before": round(os.getloadavg()[0], 2),
        **{name: version(name) for name in _PACKAGES},
    }


def _cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _first_word(command: list[str]) -> str | None:
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.split()[0].removeprefix("v") if ran.stdout.split() else None
