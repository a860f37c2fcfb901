"""One server under the keeper: started, watched, restarted in place, stopped.

The server itself holds a lock on its data: it inherits the locked descriptor, as do all its
children. So the lock is free exactly when the last process that could still write is gone, which no
pid file can tell, and a second server never starts on data that a dying one still touches.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, Protocol

from adapters.sandbox.servers import locks, logs, processes
from adapters.sandbox.servers.accounts import Account, cannot_demote

_BACKOFF_SECONDS_MAX = 5.0
_STABLE_SECONDS = 30.0
_READY_SECONDS = 90.0  # Crash recovery can take longer than a start.
_EVICTION_SECONDS = 30.0
_STOP_SECONDS = 30.0


class Program(Protocol):
    """What the keeper needs to know of a server."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]

    @property
    def process_name(self) -> str: ...
    @property
    def account(self) -> Account: ...
    @property
    def directory(self) -> Path: ...
    @property
    def pid_file(self) -> Path: ...
    @property
    def socket(self) -> Path: ...
    def prepare(self) -> None: ...
    def command(self) -> list[str]: ...
    def answers(self) -> bool: ...


class Supervised:
    """A state machine driven by `tick`, so that one thread keeps both servers."""

    def __init__(self, program: Program, data: Path, tell: Callable[[str, str], None]) -> None:
        self.program = program
        self.ready = False
        self.restarts = 0
        self.last_exit: str | None = None
        self.log_file = data / f"{program.name}.log"
        self._lock_file = data / f"{program.name}.lock"
        self._tell = tell
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._not_before = 0.0
        self._backoff_seconds = 0.0
        self._evicting_since: float | None = None

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def tick(self) -> None:
        now = time.monotonic()
        if self._process is None:
            if now >= self._not_before:
                self._start(now)
            return
        code = self._process.poll()
        if code is not None:
            self._ended(processes.exit_reason(code), now)
        elif not self.ready:
            self._look_for_answer(now)
        elif not self.program.socket.exists():
            # Nobody can come in any more (a cleaner of temp directories?): a fresh one can.
            self._tell(self.program.name, "lost its socket: stopping it")
            self.stop()
            self._ended("lost its socket", now)

    def postpone(self, reason: str) -> None:
        """Put the next start off, because this one could not even begin."""
        if reason != self.last_exit:
            self._tell(self.program.name, reason)
        self.last_exit = reason
        self._back_off(time.monotonic())

    def stop(self) -> None:
        """Stop politely, and in the end by force: both servers recover from that."""
        self.ready = False
        if self._process is None:
            return
        for stop_signal in (self.program.stop_signal, signal.SIGQUIT, signal.SIGKILL):
            with suppress(PermissionError):  # Without CAP_KILL the parent's death does it.
                self._process.send_signal(stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
                break

    def _start(self, now: float) -> None:
        lock = locks.try_exclusive(self._lock_file)
        occupants = self._occupants() if self.program.directory.exists() else []
        if lock is None or occupants:
            if lock is not None:
                lock.close()
            self._evict(now, occupants)
            return
        self._evicting_since = None
        try:
            self.program.prepare()
            self._process = self._spawn(lock)
        finally:
            lock.close()  # From here on the server alone holds it.
        self._started_at = time.monotonic()  # An initdb may have taken its time before.

    def _spawn(self, lock: locks.Lock) -> subprocess.Popen[bytes]:
        account = self.program.account
        with logs.opened(self.log_file) as log:
            try:
                return subprocess.Popen(  # noqa: S603 - a server of ours with fixed arguments
                    self.program.command(),
                    cwd=self.program.directory,
                    env=processes.clean_environment(self.program.directory),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C in the terminal is not meant for it.
                    pass_fds=(lock.fd,),
                    umask=0o077,
                    preexec_fn=processes.dies_with_parent(self.program.stop_signal),  # noqa: PLW1509 - one thread
                    **account.credentials(),
                )
            except OSError as error:
                raise cannot_demote(account, error) from error

    def _look_for_answer(self, now: float) -> None:
        if self.program.answers():
            self.ready = True
            self._tell(self.program.name, f"is ready after {now - self._started_at:.2f} s")
        elif now - self._started_at > _READY_SECONDS and self._process is not None:
            self._process.kill()  # Noticed as an exit by the next tick.

    def _ended(self, reason: str, now: float) -> None:
        if now - self._started_at > _STABLE_SECONDS:
            self._backoff_seconds = 0.0
        self.last_exit = reason
        self.restarts += 1
        self.ready = False
        self._process = None
        self._back_off(now)
        self._tell(self.program.name, reason)

    def _back_off(self, now: float) -> None:
        self._not_before = now + self._backoff_seconds
        self._backoff_seconds = min(_BACKOFF_SECONDS_MAX, self._backoff_seconds * 2 + 0.1)

    def _occupants(self) -> list[int]:
        program = self.program
        return processes.workers_in(
            program.directory, program.process_name, program.pid_file, program.account
        )

    def _evict(self, now: float, occupants: list[int]) -> None:
        """Ask a server that outlived its keeper to leave; one tick at a time, without waiting."""
        if self._evicting_since is None:
            self._evicting_since = now
            self._tell(self.program.name, f"waits for a former server to leave {occupants}")
            main = processes.recorded_pid(self.program.pid_file)
            if main in occupants:
                processes.signal_quietly(main, self.program.stop_signal)
                return
            for pid in occupants:  # Its main process is dead: these only have to notice.
                processes.signal_quietly(pid, signal.SIGTERM)
        elif now - self._evicting_since > _EVICTION_SECONDS:
            for pid in occupants:
                processes.signal_quietly(pid, signal.SIGKILL)
