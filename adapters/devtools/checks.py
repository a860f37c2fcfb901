"""`./dev check`: everything that needs no server, cheapest first; all run, then a summary."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from adapters.devtools import locks
from adapters.devtools.place import Place
from adapters.supervisor.terminal import say

_MARKS = {True: "ok", False: "FAILED", None: "skipped"}


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `passes` is None when there is nothing to check yet."""

    name: str
    passes: Callable[[], bool | None]


def run(place: Place, python: str) -> int:
    """Run every check and return the exit code."""
    results = []
    for check in all_checks(place, python):
        say(f"-- {check.name}")
        born = time.monotonic()
        results.append((check.name, check.passes(), time.monotonic() - born))
    say()
    for name, passed, seconds in results:
        say(f"  {_MARKS[passed]:<8} {name:<24} {seconds:5.1f} s")
    failed = [name for name, passed, _ in results if passed is False]
    say(f"\n{len(failed)} of {len(results)} checks failed." if failed else "\nAll checks passed.")
    return 1 if failed else 0


def all_checks(place: Place, python: str) -> list[Check]:
    def module(*words: str) -> Callable[[], bool]:
        return lambda: _runs(place, [python, "-m", *words])

    def app(*words: str) -> Callable[[], bool | None]:
        return lambda: _runs(place, [python, "app.py", *words]) if place.app.exists() else None

    scripts = ["dev", *(["app.py"] if place.app.exists() else [])]
    return [
        Check("locks", lambda: _locks(place)),
        Check("format", module("ruff", "format", "--check", "--quiet", ".", "dev")),
        Check("lint", module("ruff", "check", "--quiet", ".", "dev")),
        Check("imports", lambda: _runs(place, [python, "-c", _LINT_IMPORTS])),
        Check("settings documentation", app("settings", "--check")),
        Check("schema drift", app("schema", "--check")),
        Check("types", module("mypy", "--no-error-summary")),
        Check("types of the scripts", module("mypy", "--no-error-summary", *scripts)),
    ]


# import-linter has no __main__; its console script would name the environment's own folder.
_LINT_IMPORTS = """
import sys
sys.path.insert(0, ".")
from importlinter.cli import lint_imports
sys.exit(lint_imports(no_logo=True))
"""


def _runs(place: Place, command: list[str]) -> bool:
    done = subprocess.run(command, cwd=place.clone, check=False)  # noqa: S603 - tools of the lock
    return done.returncode == 0


def _locks(place: Place) -> bool:
    found = locks.problems(place)
    for problem in found:
        say(problem)
    return not found
