"""`./dev doctor`: what is here, what is missing, and what to do about it. Changes nothing."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.devtools import environment, locks
from adapters.devtools.data_dir import arguments, meant
from adapters.devtools.place import LOCKS, Place, found_uv
from adapters.supervisor import instance, listening
from adapters.supervisor.terminal import StartError, say

_FREE_GIGABYTES_MIN = 2
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class Finding:
    mark: str  # "ok", "warn" or "missing"
    subject: str
    said: str


def run(place: Place, words: list[str]) -> int:
    """Say every finding; 1 when something that `./dev run` needs is missing."""
    known = arguments("./dev doctor", "Say what is installed, missing and running.").parse_args(
        words
    )
    missing = False
    for finding in findings(place, known.data_dir):
        missing |= finding.mark == "missing"
        say(f"  {finding.mark:<8} {finding.subject:<12} {finding.said}")
    return 1 if missing else 0


def findings(place: Place, data_dir: Path | None) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding("ok", "python", f"{version} ({sys.executable})")
    yield _installer()
    yield from _layers(place)
    yield from _lock_findings(place)
    yield _tool("node", ("node",), "only the front end needs it, and fetches a wheel of it instead")
    yield _tool("chromium", _CHROMIUM, "only browser tests need it (Debian: apt install chromium)")
    yield _disk(place)
    yield from _instance(meant(place, data_dir))


def _installer() -> Finding:
    uv = found_uv()
    if uv:
        return Finding("ok", "uv", uv)
    from adapters.devtools.packages import has_ensurepip  # noqa: PLC0415

    if has_ensurepip():
        return Finding("ok", "pip", "used to install; with uv it would be ten times faster")
    venv = f"python3.{sys.version_info[1]}-venv"
    return Finding("missing", "pip", f"apt install {venv} (Debian, Ubuntu), or install uv")


def _layers(place: Place) -> Iterator[Finding]:
    stamp = environment.stamp_of(place)
    python = environment.version_of(place.venv / "bin" / "python")
    if not stamp:
        yield Finding("warn", ".venv", "not made yet: the first ./dev run makes it")
        return
    if python is None or "installing" in stamp:
        yield Finding("warn", ".venv", "broken or half made: the next command makes it anew")
        return
    fresh = [
        layer
        for layer in ("sandbox", "dev")
        if stamp.get(layer) == environment.digest_of(place.lock_of(layer))
    ]
    if fresh:
        yield Finding("ok", ".venv", f"Python {python}, up to date for: {', '.join(fresh)}")
    else:
        yield Finding("warn", ".venv", "older than its lock: the next command brings it up to date")


def _lock_findings(place: Place) -> Iterator[Finding]:
    problems = locks.problems(place)
    for problem in problems:
        yield Finding("warn", "locks", problem)
    if not problems:
        yield Finding("ok", "locks", f"{', '.join(LOCKS.values())} match pyproject.toml")


def _tool(subject: str, names: tuple[str, ...], advice: str) -> Finding:
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        return Finding("warn", subject, f"not found; {advice}")
    try:
        asked = subprocess.run(  # noqa: S603 - a tool found on PATH
            [path, "--version"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return Finding("warn", subject, f"{path} does not start; {advice}")
    return Finding("ok", subject, f"{asked.stdout.strip().partition(chr(10))[0]} ({path})")


def _disk(place: Place) -> Finding:
    free = shutil.disk_usage(place.clone).free / 1e9
    mark = "ok" if free >= _FREE_GIGABYTES_MIN else "warn"
    advice = "" if mark == "ok" else f"; {_FREE_GIGABYTES_MIN} GB are comfortable: free some space"
    return Finding(mark, "disk", f"{free:.1f} GB free{advice}")


def _instance(data_dir: Path) -> Iterator[Finding]:
    size = _size(data_dir) / 1e6
    told = f"{data_dir}, {size:.0f} MB" if data_dir.exists() else f"{data_dir}, not made yet"
    yield Finding("ok", "data", told)
    if not instance.is_running(data_dir):
        yield Finding("ok", "instance", "none is running")
        yield _port()
        return
    graphql = (instance.published(data_dir) or {}).get("graphql")
    if not isinstance(graphql, str):
        yield Finding("warn", "instance", "one is starting or stopping")
        return
    alive = _answers(graphql)
    advice = graphql if alive else f"{graphql} does not answer: see {data_dir / 'logs' / 'web.log'}"
    yield Finding("ok" if alive else "warn", "instance", advice)


def _port() -> Finding:
    try:
        listening.listen("127.0.0.1", 8000).close()
    except StartError as error:
        return Finding("warn", "port 8000", str(error))
    return Finding("ok", "port 8000", "free")


def _answers(url: str) -> bool:
    host, _, port = url.split("/")[2].rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=2) as connection:
            connection.sendall(
                b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            )
            return connection.recv(16).startswith(b"HTTP/")
    except (OSError, ValueError):
        return False


def _size(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).lstat().st_size
            except OSError:
                continue  # A server removed it meanwhile.
    return total
