"""A child's output: all of it in a bounded file, its warnings and errors on the terminal too."""

import contextlib
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

_BYTES_MAX = 5_000_000  # Two files of this size per child: an evening of debug lines.
_LINE_MAX = 16_384
_TAIL_LINES = 15
_SURFACED_PER_WINDOW = 10
_WINDOW_SECONDS = 10.0
# structlog as JSON or for people, and the standard library's logging.
_WORTH_SEEING = re.compile(
    r'"level":\s*"(?:warning|error|critical)"'
    r"|\[(?:warning|error|critical)\s*\]"
    r"|\b(?:WARNING|ERROR|CRITICAL)\b"
    r"|^Traceback \(most recent call last\)",
)


class ChildLog:
    """The log of one child across its restarts."""

    def __init__(
        self,
        path: Path,
        *,
        show: Callable[[str], None],
        verbose: bool = False,
        bytes_max: int = _BYTES_MAX,
    ) -> None:
        self.path = path
        self._show = show
        self._verbose = verbose
        self._bytes_max = bytes_max
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._lock = threading.Lock()
        self._file: IO[bytes] | None = None
        self._size = 0
        self._surfacer = _Surfacer(path, show)

    def pump(self, stream: IO[bytes]) -> None:
        """Copy a child's output until it closes; runs in a thread of its own."""
        with stream:
            while line := stream.readline(_LINE_MAX):
                self._take(line if line.endswith(b"\n") else line + b"\n")

    def tail(self) -> str:
        """Return the last lines, for a sentence that has to say why."""
        with self._lock:
            return "\n".join(f"    {line}" for line in self._tail)

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None

    def _take(self, line: bytes) -> None:
        text = line.decode("utf-8", errors="replace").rstrip()
        with self._lock:
            self._tail.append(text)
            # A full disk must not stop the child, whose pipe would fill up: the line is dropped.
            with contextlib.suppress(OSError):
                self._write(line)
        if self._verbose:
            self._show(text)
        else:
            self._surfacer.consider(text)

    def _write(self, line: bytes) -> None:
        if self._file is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
            self._size = self._file.tell()
        if self._size + len(line) > self._bytes_max:
            self._file.close()
            self._file = None
            self.path.replace(self.path.with_name(self.path.name + ".1"))
            self._file = self.path.open("ab", buffering=0)
            self._size = 0
        self._size += self._file.write(line)


class _Surfacer:
    """Decides which lines a person sees; a storm is cut short and counted."""

    def __init__(self, path: Path, show: Callable[[str], None]) -> None:
        self._path = path
        self._show = show
        self._in_traceback = False
        self._window_start = 0.0
        self._shown = 0

    def consider(self, text: str) -> None:
        if self._in_traceback:
            # Frames are indented or blank; the first line that is not names the exception.
            if text.startswith(" ") or not text:
                return
            self._in_traceback = False
        elif not _WORTH_SEEING.search(text):
            return
        elif text.startswith("Traceback"):
            self._in_traceback = True
            return
        self._surface(text)

    def _surface(self, text: str) -> None:
        now = time.monotonic()
        if now - self._window_start > _WINDOW_SECONDS:
            self._window_start, self._shown = now, 0
        self._shown += 1
        if self._shown <= _SURFACED_PER_WINDOW:
            self._show(text)
        elif self._shown == _SURFACED_PER_WINDOW + 1:
            self._show(f"... more in {self._path}")
