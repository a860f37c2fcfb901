"""A pytest plugin that hears all a run writes, and fails who wrote what no log may hold.

    of this process      what pytest captures (structlog's plain lines, loggers, warnings, prints,
                         and whatever a child inherits), every line of our own logging wherever it
                         goes, every event a test catches with structlog's ``capture_logs``
    of its children      what our own programs say, whoever reads their pipes; for who reads a pipe
                         by hand there is ``EARS.hear``
    of data directories  the logs in them, when they are removed (tests/world.py)

Each worker searches its own, after each test, so that a finding fails the test it belongs to; what
comes later fails the run. A test that provokes a traceback says so, by words of it, and fails when
there is none: ``@pytest.mark.provokes("KeyError: 3")``; with ``always=False`` where chance decides.

Not heard: what a test reads with ``capsys`` (commands that print are tested so, not logs), and with
``pytest -s`` what this process itself writes; then the last line says so, and CI fails.
"""

import asyncio.base_subprocess
import logging
import os
import re
import subprocess
import threading
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.leaks import leaks_in

# Commands whose answer is a secret, and snippets of our pages: what they print is no log, what
# they complain of is.
_ANSWERS = {"token", "totp", "-c"}
_PYTHON = re.compile(r"python[\d.]*|pypy[\d.]*|dev|app\.py")
_SHOWN_MAX = 20
_FOUND = pytest.StashKey[list[str]]()
_RAN = pytest.StashKey[bool]()


class Ears:
    """What was heard and not yet judged. Any thread may tell it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: list[tuple[str, str]] = []
        self._found: list[str] = []
        self.lines = 0

    def hear(self, where: str, text: str | bytes | None) -> None:
        """Something was written by ``where``."""
        if text:
            said = text if isinstance(text, str) else text.decode("utf-8", "replace")
            with self._lock:
                self._heard.append((where, said))

    def find(self, findings: Collection[str]) -> None:
        """Somebody searched already and found these."""
        with self._lock:
            self._found += findings

    def judged(
        self,
        also: Sequence[tuple[str, str]],
        *,
        provoked: Collection[str] = (),
        perhaps: Collection[str] = (),
    ) -> list[str]:
        """Forget everything; what was wrong with it, and with what is heard ``also``.

        ``provoked``: words of tracebacks that have to be there; ``perhaps``: that may be.
        """
        with self._lock:
            heard, found = [*self._heard, *also], self._found
            self._heard, self._found = [], []
        # Together by speaker: a traceback comes line by line.
        whole: dict[str, str] = {}
        for where, text in heard:
            whole[where] = whole.get(where, "") + text.rstrip("\n") + "\n"
        for where, text in whole.items():
            self.lines += text.count("\n")
            found += leaks_in(text, where, provoked=[*provoked, *perhaps])
        said = "".join(whole.values())
        return found + [f"provokes {word!r}, which nothing said" for word in unsaid(said, provoked)]


def unsaid(text: str, words: Collection[str]) -> Iterator[str]:
    yield from (word for word in words if word not in text)


EARS = Ears()


def is_ours(arguments: object) -> bool:
    """Whether a program is Python: nothing else that tests start writes a log of ours."""
    return any(_PYTHON.fullmatch(Path(os.fsdecode(word)).name) for word in _words(arguments)[:2])


def _words(arguments: Any) -> list[Any]:  # whatever subprocess takes
    return [arguments] if isinstance(arguments, str | bytes | os.PathLike) else list(arguments)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "provokes(*words, always=True): of tracebacks it wants")
    config.stash[_FOUND] = []
    # As adapters.telemetry has it: it repeats every client's mistake with a traceback.
    logging.getLogger("strawberry.execution").setLevel(logging.CRITICAL + 1)
    _listen()


def pytest_unconfigure() -> None:
    for undo in _undo:
        undo()
    _undo.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[_RAN] = report.passed
    if call.when != "teardown":
        return report
    words: dict[bool, list[str]] = {True: [], False: []}
    for mark in item.iter_markers("provokes"):
        words[mark.kwargs.get("always", True)] += mark.args
    found = EARS.judged(report.sections, provoked=words[True], perhaps=words[False])
    if not item.stash.get(_RAN, False):  # it did not come to that
        found = [finding for finding in found if not finding.startswith("provokes ")]
    if found:
        report.outcome = "failed"
        report.longrepr = "\n".join(
            [*filter(None, [report.longreprtext]), "written, and must not be:", *_shortened(found)]
        )
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    found = session.config.stash[_FOUND]
    found += EARS.judged([])
    if os.environ.get("CI") == "true" and _is_deaf(session.config):
        found.append("pytest -s: what this process wrote was not searched")
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["okd_found"], output["okd_lines"] = found, EARS.lines
    elif found and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # an xdist class without types
    told = getattr(node, "workeroutput", {})
    node.config.stash[_FOUND] += told.get("okd_found", [])
    EARS.lines += told.get("okd_lines", 0)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # pytest's own
    if found := config.stash[_FOUND]:
        terminalreporter.section("written, and must not be", red=True)
        for finding in _shortened(found):
            terminalreporter.line(finding)
    deaf = "; not searched: what this process wrote (pytest -s)" if _is_deaf(config) else ""
    terminalreporter.line(f"{EARS.lines} lines of logs were searched for what none may hold{deaf}")


def _is_deaf(config: pytest.Config) -> bool:
    return str(config.getoption("capture")) == "no"


def _shortened(found: Sequence[str]) -> Sequence[str]:
    more = len(found) - _SHOWN_MAX
    return [*found[:_SHOWN_MAX], f"... and {more} more"] if more > 0 else found


_undo: list[Callable[[], None]] = []


def _listen() -> None:
    _replace(structlog.stdlib.ProcessorFormatter, "format", _hearing_lines)
    _replace(structlog.testing.LogCapture, "__call__", _hearing_captured)
    _replace(subprocess.Popen, "communicate", _hearing_answers)
    _replace(asyncio.base_subprocess.BaseSubprocessTransport, "_pipe_data_received", _hearing_pipes)


_Anything = Callable[..., Any]


def _replace(owner: type, name: str, by: Callable[[_Anything], _Anything]) -> None:
    before = getattr(owner, name)
    setattr(owner, name, wraps(before)(by(before)))
    _undo.append(lambda: setattr(owner, name, before))


def _hearing_lines(before: _Anything) -> _Anything:
    def format_and_hear(self: object, record: Any) -> str:
        line: str = before(self, record)
        EARS.hear("log", line)
        return line

    return format_and_hear


def _hearing_captured(before: _Anything) -> _Anything:
    def capture_and_hear(self: object, logger: object, method: str, event: Any) -> Any:
        shown = structlog.processors.format_exc_info(None, method, dict(event))
        EARS.hear("captured events", "\n".join(f"{key}={value}" for key, value in shown.items()))
        return before(self, logger, method, event)

    return capture_and_hear


def _hearing_answers(before: _Anything) -> _Anything:
    def communicate_and_hear(self: Any, *given: Any, **named: Any) -> Any:
        out, err = before(self, *given, **named)
        if is_ours(self.args):
            where = f"output of {_name_of(self.args)}"
            EARS.hear(where, err)
            if _ANSWERS.isdisjoint(map(os.fsdecode, _words(self.args))):
                EARS.hear(where, out)
        return out, err

    return communicate_and_hear


def _hearing_pipes(before: _Anything) -> _Anything:
    def receive_and_hear(self: Any, descriptor: int, data: bytes) -> Any:
        if is_ours(self._proc.args):
            # A line may come in pieces; it is heard when it is whole, or at the next one.
            rest: dict[int, bytes] = self.__dict__.setdefault("_okd_rest", {})
            whole, _, rest[descriptor] = (rest.get(descriptor, b"") + data).rpartition(b"\n")
            EARS.hear(f"output of {_name_of(self._proc.args)}", whole)
        return before(self, descriptor, data)

    return receive_and_hear


def _name_of(arguments: object) -> str:
    return " ".join(Path(os.fsdecode(word)).name for word in _words(arguments)[:3])
