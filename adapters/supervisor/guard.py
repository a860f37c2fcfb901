"""What is left when the supervisor is killed: a process that ends the children it had.

The lifeline asks every child to end by itself. The guard makes sure: also of a child that hangs,
and of what the children started. It is told each process group as it is born and gone, on its
standard input; when that closes with groups left, the supervisor has crashed.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

_POLL_SECONDS = 0.05


@dataclass(slots=True)
class Guard:
    """The supervisor's side."""

    grace_seconds: float
    _process: "subprocess.Popen[bytes] | None" = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this file, by this interpreter
            [sys.executable, "-I", "-S", str(Path(__file__)), str(self.grace_seconds)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def born(self, pid: int) -> None:
        self._tell(f"+{pid}\n")

    def gone(self, pid: int) -> None:
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Let the guard end; nothing is left for it to do after an orderly stop."""
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except BrokenPipeError:
                pass
            self._process.wait()

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._process.stdin is None:
                return
            try:
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()
            except (BrokenPipeError, ValueError):
                pass  # Somebody killed the guard, or all is over; the lifeline still holds.


def _signal(groups: set[int], number: int) -> set[int]:
    """Signal the groups and return those that still have members."""
    left = set()
    for group in groups:
        try:
            os.killpg(group, number)
        except OSError:
            continue  # Nobody is in it any more.
        left.add(group)
    return left


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    deadline = time.monotonic() + float(sys.argv[1])
    left = _signal(groups, signal.SIGTERM)
    while left and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)  # They are nobody's children now: there is nothing to wait on.
        left = _signal(left, 0)
    _signal(left, signal.SIGKILL)


if __name__ == "__main__":
    main()
