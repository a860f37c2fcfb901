"""One child, kept alive by a thread of its own.

A thread and not an event loop: waiting for a process is then one blocking call, and the parent
death signal of Linux, which is tied to the thread that started the child, lasts as long as the
child.
"""

import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import IO

from adapters.supervisor.children import Child, HttpReady, LineReady
from adapters.supervisor.guard import Guard
from adapters.supervisor.lifeline import LIFELINE_VARIABLE, READY_VARIABLE, UNUSABLE_EXIT_CODE
from adapters.supervisor.logs import ChildLog
from adapters.supervisor.terminal import sentence_for

_PROBE_SECONDS = 0.5
_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Started:
    name: str
    pid: int


@dataclass(frozen=True, slots=True)
class Ready:
    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Late:
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Restarting:
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Failed:
    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Finished:
    name: str


Event = Started | Ready | Late | Restarting | Failed | Finished


@dataclass(slots=True)
class Runner:
    """Starts, watches, restarts and stops one child; tells `report` what happened."""

    child: Child
    log: ChildLog
    report: Callable[[Event], None]
    guard: Guard
    lifeline_fd: int
    is_ready: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _process: "subprocess.Popen[bytes] | None" = None
    _failures: int = 0
    _born: float = 0.0

    def start(self, needs: Sequence["Runner"]) -> None:
        """Start the thread; the child itself starts once every runner in `needs` is ready."""
        threading.Thread(
            target=self._guarded, args=(needs,), name=f"runner-{self.child.name}", daemon=True
        ).start()

    def stop(self) -> None:
        """Ask the child to end; `Finished` is reported when it has."""
        self._stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the child's whole process group now."""
        self._stopping.set()
        self._signal(signal.SIGKILL)

    def _guarded(self, needs: Sequence["Runner"]) -> None:
        try:
            self._keep(needs)
        except OSError as error:
            said = sentence_for(error) or f"{error}"
            self.report(Failed(self.child.name, f"{self.child.name} could not be started: {said}"))
        finally:
            self.log.close()
            self.report(Finished(self.child.name))

    def _keep(self, needs: Sequence["Runner"]) -> None:
        for need in needs:
            while not need.is_ready.wait(_PAUSE_SECONDS):
                if self._stopping.is_set():
                    return
        while not self._stopping.is_set():
            process, ready_pipe = self._spawn()
            pump = threading.Thread(target=self.log.pump, args=(process.stdout,), daemon=True)
            pump.start()
            try:
                self._await_ready(process, ready_pipe)
                code = process.wait()
            finally:
                if ready_pipe is not None:
                    ready_pipe.close()
                _kill_group(process.pid, signal.SIGKILL)  # what the child left behind
                self.guard.gone(process.pid)
            pump.join(1.0)
            if self._stopping.is_set() or self._ended(code):
                return

    def _spawn(self) -> "tuple[subprocess.Popen[bytes], IO[bytes] | None]":
        child = self.child
        inherited = {LIFELINE_VARIABLE: self.lifeline_fd}
        inherited.update({name: bound.fileno() for name, bound in child.sockets.items()})
        ready_pipe = write_end = None
        if isinstance(child.ready, LineReady):
            read_fd, write_end = os.pipe()
            ready_pipe = os.fdopen(read_fd, "rb", buffering=0)
            inherited[READY_VARIABLE] = write_end
        numbers = {name: str(number) for name, number in inherited.items()}
        try:
            with self._lock:
                process = subprocess.Popen(  # noqa: S603 - argv of the plan, no shell
                    child.argv,
                    env={**child.environment, **numbers, "PYTHONUNBUFFERED": "1"},
                    pass_fds=tuple(inherited.values()),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
                self._process = process
        finally:
            if write_end is not None:
                os.close(write_end)
        self._born = time.monotonic()
        self.guard.born(process.pid)
        self.report(Started(child.name, process.pid))
        if self._stopping.is_set():
            self._signal(signal.SIGTERM)  # stop() came between the check and the birth.
        return process, ready_pipe

    def _await_ready(
        self, process: "subprocess.Popen[bytes]", ready_pipe: IO[bytes] | None
    ) -> None:
        """Return when the child is ready, has ended, or is being stopped."""
        if self.child.once:
            return
        late_at = self._born + self.child.ready_seconds
        while process.poll() is None and not self._stopping.is_set():
            if self._probe(ready_pipe):
                seconds = time.monotonic() - self._born
                self.is_ready.set()
                self.report(Ready(self.child.name, seconds))
                return
            if time.monotonic() > late_at and process.poll() is None:
                late_at = float("inf")
                self._report_late()
            self._stopping.wait(_PAUSE_SECONDS)

    def _probe(self, ready_pipe: IO[bytes] | None) -> bool:
        if isinstance(self.child.ready, HttpReady):
            return _answers(self.child.ready)
        if ready_pipe is not None:
            readable, _, _ = select.select([ready_pipe], [], [], _PROBE_SECONDS)
            return bool(readable) and ready_pipe.read(64).startswith(b"ready")
        return True

    def _report_late(self) -> None:
        kind = Late if not self.child.required or self.is_ready.is_set() else Failed
        name, seconds = self.child.name, self.child.ready_seconds
        self.report(kind(name, self._because(f"{name} is not ready after {seconds:.0f} s")))

    def _ended(self, code: int) -> bool:
        """Decide what follows an exit nobody asked for; True when nothing does."""
        name, how = self.child.name, _in_words(code)
        if self.child.once:
            if code == 0:
                self.is_ready.set()
                self.report(Ready(name, time.monotonic() - self._born))
            elif self.child.required:
                self.report(Failed(name, self._because(f"{name} {how}")))
            else:
                last = self.log.tail().rpartition("\n")[2].strip()
                self.report(Late(name, f"{name} | {last or how}"))
            return True
        if time.monotonic() - self._born > self.child.backoff.healthy_seconds:
            self._failures = 0
        self._failures += 1
        never_ready = self.child.required and not self.is_ready.is_set()
        if never_ready and code == UNUSABLE_EXIT_CODE:
            self.report(Failed(name, self._because(f"{name} cannot do what it was told")))
            return True
        if never_ready and self._failures >= self.child.failures_max:
            times = f"{self._failures} times before it was ready"
            self.report(Failed(name, self._because(f"{name} {how}, {times}")))
            return True
        delay = self.child.backoff.delay(self._failures)
        self.report(Restarting(name, f"{name} {how}; starting it again in {delay:.1f} s"))
        return self._stopping.wait(delay)

    def _because(self, what: str) -> str:
        tail = self.log.tail()
        said = f" Its last lines:\n{tail}\n" if tail else " It wrote nothing. "
        return f"{what}.{said}  The whole log: {self.log.path}"

    def _signal(self, number: int) -> None:
        with self._lock:
            process = self._process
        if process is not None and process.returncode is None:
            _kill_group(process.pid, number)


def _kill_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # Nobody is left in the group (macOS says "not permitted" for a zombie).


def _in_words(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _answers(check: HttpReady) -> bool:
    """GET the path and look at the status only; http.client would cost every import 20 ms."""
    address = check.listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])  # noqa: S104
    request = f"GET {check.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, address[1]), timeout=_PROBE_SECONDS) as connection:
            connection.sendall(request.encode("ascii"))
            return connection.recv(64).split(b" ")[1:2] == [b"200"]
    except OSError:
        return False
