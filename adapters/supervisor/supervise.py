"""The family of children: started in order, kept alive, stopped in reverse."""

import os
import queue
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from adapters.supervisor.children import Child, waves
from adapters.supervisor.guard import Guard
from adapters.supervisor.logs import ChildLog
from adapters.supervisor.runner import (
    Event,
    Failed,
    Finished,
    Late,
    Ready,
    Restarting,
    Runner,
    Started,
)
from adapters.supervisor.terminal import complain, say

_KILLED_SECONDS = 60.0  # The kernel may take a while over a process that waits for a disk.


@dataclass(frozen=True, slots=True)
class _Asked:
    """A signal asked the supervisor to stop."""

    number: int


def _nothing() -> None:
    """Do nothing: the default of a hook."""


def _no_change(pids: Mapping[str, int]) -> None:
    """Do nothing with the pids."""


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Keeps `children` until a signal asks it to stop, or one of them makes that pointless.

    Args:
        on_change: Called with the pid of every living child after each change.
        on_ready: Called once, when every child that can be waited for is ready or late.
        on_stopping: Called before the first child is asked to end.
    """

    children: tuple[Child, ...]
    log_dir: Path
    verbose: bool = False
    grace_seconds: float = 10.0
    on_change: Callable[[Mapping[str, int]], None] = _no_change
    on_ready: Callable[[], None] = _nothing
    on_stopping: Callable[[], None] = _nothing
    _events: "queue.SimpleQueue[Event | _Asked]" = field(default_factory=queue.SimpleQueue)
    _runners: dict[str, Runner] = field(default_factory=dict)
    _pids: dict[str, int] = field(default_factory=dict)
    _awaited: set[str] = field(default_factory=set)
    _living: set[str] = field(default_factory=set)

    def run(self) -> int:
        """Return 0 after a requested stop, 1 when a child could not be kept."""
        order = waves(self.children)
        asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        previous = {number: signal.signal(number, self._asked) for number in asking}
        lifeline_read, lifeline_write = os.pipe()
        guard = Guard(self.grace_seconds)
        try:
            guard.start()
            self._start(lifeline_read, guard)
            code = self._keep()
            self.on_stopping()
            self._stop(order, hurry=False)
        finally:
            guard.close()
            os.close(lifeline_write)
            os.close(lifeline_read)
            for number, handler in previous.items():
                signal.signal(number, handler)
        return code

    def _asked(self, number: int, _frame: FrameType | None) -> None:
        self._events.put(_Asked(number))  # SimpleQueue.put may interrupt itself.

    def _start(self, lifeline_fd: int, guard: Guard) -> None:
        self._awaited = {child.name for child in self.children if child.required or not child.once}
        self._living = {child.name for child in self.children}
        for child in self.children:
            self._runners[child.name] = Runner(
                child=child,
                log=self._log_of(child.name),
                report=self._events.put,
                guard=guard,
                lifeline_fd=lifeline_fd,
            )
        for child in self.children:
            self._runners[child.name].start([self._runners[name] for name in child.after])

    def _log_of(self, name: str) -> ChildLog:
        return ChildLog(
            self.log_dir / f"{name}.log",
            show=lambda text: say(f"{name} | {text}"),
            verbose=self.verbose,
        )

    def _keep(self) -> int:
        """Follow events until it is time to stop; return the exit code."""
        while True:
            event = self._events.get()
            if isinstance(event, _Asked):
                say("\nStopping (once more for quick) ...")
                return 0
            if isinstance(event, Failed):
                complain(f"\n{event.sentence}")
                return 1
            self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case Started():
                self._pids[event.name] = event.pid
                self.on_change(self._pids)
            case Ready():
                self._said_ready(event)
                self._settled(event.name)
            case Late() if self._runners[event.name].child.once:
                self._pids.pop(event.name, None)
                self.on_change(self._pids)
                say(f"  {event.sentence}")
            case Late():
                say(f"  {event.sentence}\n  Going on without it; it keeps trying.")
                self._settled(event.name)
            case Restarting():
                self._pids.pop(event.name, None)
                self.on_change(self._pids)
                say(f"  {event.sentence}")
            case Finished():
                self._living.discard(event.name)
            case _:
                pass  # A failure ends the loop before it gets here.

    def _said_ready(self, event: Ready) -> None:
        once = self._runners[event.name].child.once
        if once:
            self._pids.pop(event.name, None)
            self.on_change(self._pids)
        word = "done" if once else "ready" if event.name in self._awaited else "back"
        say(f"  {event.name:<10} {word} in {event.seconds:.1f} s")

    def _settled(self, name: str) -> None:
        if name not in self._awaited:
            return
        self._awaited.discard(name)
        if not self._awaited:
            self.on_ready()

    def _stop(self, order: list[list[str]], *, hurry: bool) -> None:
        """Stop wave after wave in reverse; a second signal, or the grace's end, kills."""
        for wave in reversed(order):
            for name in wave:
                runner = self._runners[name]
                (runner.kill if hurry else runner.stop)()
            deadline = time.monotonic() + self.grace_seconds
            while left := self._living & set(wave):
                try:
                    event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
                except queue.Empty:
                    names = ", ".join(sorted(left))
                    say(f"  {names} did not end within {self.grace_seconds:.0f} s: killed")
                    self._kill(wave)
                    deadline = time.monotonic() + _KILLED_SECONDS
                    continue
                if isinstance(event, _Asked):
                    hurry = True
                    self._kill(wave)
                elif isinstance(event, Finished):
                    self._living.discard(event.name)

    def _kill(self, names: list[str]) -> None:
        for name in names:
            self._runners[name].kill()
