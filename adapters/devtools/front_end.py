"""Building the npm package in adapters/web: GraphiQL, as the gateway serves it.

What was built is kept until a source changes (a stamp holds their digest). One build at a time; it
happens beside what is served and takes its place at the end, so that a build that fails, is
interrupted or runs twice leaves a whole one behind.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.devtools import node
from adapters.devtools.place import Place
from adapters.devtools.turns import alone
from adapters.supervisor.terminal import StartError, say

_STAMP = ".okd-stamp"
_NOT_SOURCES = {"node_modules", "dist"}
# Built into the pages, although the gateway serves it, too.
_SHARED = ("adapters/gateway/pages/starters.js", "adapters/gateway/pages/sign-in.js")
_TAIL_LINES = 12
_NICENESS = 10  # Behind everything that serves.
_NO_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET")
_ADDRESS = re.compile(r"\b[a-z]+://\S+")


def is_current(place: Place) -> bool:
    """Tell whether what is built is of these very sources."""
    return _read(place.web / "dist" / _STAMP) == _digest(place)


def build(place: Place) -> int:
    """Build unless that is done; for the person who asked for it.

    Raises:
        StartError: There is no Node.js to be had, or the build fails.
    """
    with alone(place.web, while_waiting="Another build of the front end runs: waiting for it ..."):
        if is_current(place):
            say("The front end is built already, and no source has changed since.")
            return 0
        _build(place)
    say("The front end is built: /graphiql shows it at the next load.")
    return 0


def build_beside(place: Place) -> int:
    """Build while the world runs, behind everything else; why not is one sentence, the last one."""
    os.nice(_NICENESS)
    try:
        return build(place)
    except StartError as error:
        sentence, _, details = str(error).partition("\n")
        if details:
            say(details)
        say(f"{sentence} The API goes on, with the small explorer at /graphiql.")
        return 1


def _build(place: Place) -> None:
    variables = node.variables(place)
    modules = place.web / "node_modules"
    lock = hashlib.sha256((place.web / "package-lock.json").read_bytes()).hexdigest()
    if _read(modules / _STAMP) != lock:
        say("Fetching the front end's packages, about half a minute ...")
        _npm(place, variables, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        (modules / _STAMP).write_text(lock, encoding="utf-8")
    digest = _digest(place)  # Of before: a source that changes meanwhile asks for another build.
    fresh = modules / ".okd-dist"
    say("Building the front end ...")
    _npm(place, variables, "run", "build", "--", "--outDir", str(fresh), "--emptyOutDir")
    (fresh / _STAMP).write_text(digest, encoding="utf-8")
    _put_in_place(fresh, place.web / "dist", aside=modules / ".okd-dist-old")


def _put_in_place(fresh: Path, served: Path, *, aside: Path) -> None:
    shutil.rmtree(aside, ignore_errors=True)
    if served.exists():
        served.rename(aside)
    fresh.rename(served)
    shutil.rmtree(aside, ignore_errors=True)


def _npm(place: Place, variables: Mapping[str, str], *words: str) -> None:
    npm = shutil.which("npm", path=variables["PATH"])
    if npm is None:
        raise StartError("npm is missing beside Node.js: install both anew, or remove .venv-node.")
    done = subprocess.run(  # noqa: S603 - npm with words of ours
        [npm, *words],
        cwd=place.web,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    said = (done.stdout + done.stderr).splitlines()
    if _NO_NETWORK.search("\n".join(said)):
        why = "The front end's packages could not be fetched: no network, or no npm registry there."
    else:
        why = f"The front end could not be built: npm {words[0]} failed."
    tail = _ADDRESS.sub("<address>", "\n".join(f"    {line}" for line in said[-_TAIL_LINES:]))
    raise StartError(f"{why}\n{tail}")


def _digest(place: Place) -> str:
    digest = hashlib.sha256()
    for path in _sources(place):
        name = path.relative_to(place.clone).as_posix()
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sources(place: Place) -> Iterator[Path]:
    for entry in sorted(place.web.iterdir()):
        if entry.name in _NOT_SOURCES:
            continue
        found = sorted(entry.rglob("*")) if entry.is_dir() else [entry]
        yield from (path for path in found if path.is_file())
    yield from (place.clone / name for name in _SHARED)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
