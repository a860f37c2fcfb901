"""A program under test: its lines as they come, its end, the processes it leaves."""

import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.hearing import EARS, is_ours

CLONE = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0


class Program:
    """A started program whose output is read line by line."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(  # noqa: S603 - programs of this repository
            argv,
            env={**os.environ, "PYTHONPATH": str(CLONE), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self._queue.put(line.rstrip("\n"))
                if is_ours(self.process.args):
                    EARS.hear("output of a program", line)
        self._queue.put(None)

    def until(self, part: str) -> str:
        """Return the next line that has `part` in it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (line := self._queue.get(timeout=max(0.01, deadline - time.monotonic()))) is not None:
            self.lines.append(line)
            if part in line:
                return line
        raise AssertionError(f"ended without {part!r}:\n" + self.said)

    def end(self) -> int:
        """Wait for the end of the program and of its output; return the exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (line := self._queue.get(timeout=max(0.01, deadline - time.monotonic()))) is not None:
            self.lines.append(line)
        self._reader.join()
        return self.process.wait(timeout=PATIENCE_SECONDS)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def discard(self) -> None:
        """End it whatever happened; for the test's end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._reader.join(timeout=5)


class DummyRun(Program):
    """The dummy world on a data dir of its own."""

    def __init__(
        self,
        data_dir: Path,
        *words: str,
        manners: Mapping[str, Sequence[str]] | None = None,
        ready_seconds: float = 20.0,
    ) -> None:
        self.data_dir = data_dir
        self.journal = data_dir.with_name(f"{data_dir.name}.journal")
        self.journal.touch()
        words = words if any(word.startswith("--port") for word in words) else (*words, "--port=0")
        super().__init__(
            [
                *(sys.executable, str(Path(__file__).with_name("dummy_world.py"))),
                *(f"--data-dir={data_dir}", "--grace=2", *words),
            ],
            {
                "JOURNAL": str(self.journal),
                "MANNERS": json.dumps(manners or {}),
                "READY_SECONDS": str(ready_seconds),
                "DATABASE_URL": "postgresql://nowhere/app",
                "DATABASE_OWNER_URL": "postgresql://nowhere/owner",
                "REDIS_URL": "redis://nowhere",
            },
        )

    def addresses(self) -> dict[str, Any]:
        content = json.loads((self.data_dir / "addresses.json").read_text(encoding="utf-8"))
        assert isinstance(content, dict)
        return content

    def entries(self) -> list[tuple[str, str, int]]:
        lines = self.journal.read_text(encoding="utf-8").splitlines()
        return [(name, word, int(pid)) for name, word, pid in map(str.split, lines)]

    def up(self) -> "DummyRun":
        self.until("Ctrl-C stops everything.")
        return self


def await_end_of(pids: Sequence[int]) -> None:
    """Wait until none of the processes runs."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            ended, _, _ = select.select([descriptor], [], [], PATIENCE_SECONDS)
            assert ended, f"{pid} still runs"
        finally:
            os.close(descriptor)
