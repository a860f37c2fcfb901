"""Servers under test as processes: a socket they inherit, a word when they serve, an end."""

import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import IO

from adapters.supervisor.children import LISTEN_VARIABLE
from adapters.supervisor.lifeline import READY_VARIABLE
from adapters.supervisor.listening import listen
from adapters.supervisor.terminal import StartError
from tests.bench.rig.machine import pinned
from tests.world import REPOSITORY

_READY_SECONDS = 60.0
_END_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Running:
    """A contender that serves. ``pids`` are what is measured; ``beside`` what it also needs."""

    port: int
    pids: tuple[int, ...]
    source: int
    """Who has to be told to publish at full speed."""
    beside: Mapping[str, int] = field(default_factory=dict)
    operations: tuple[int, ...] = ()
    """Ports of /metrics, one per process, where there are any."""

    def full_speed(self) -> None:
        os.kill(self.source, signal.SIGUSR1)


@contextmanager
def listening() -> Iterator[socket.socket]:
    """A listening socket of a free port, to be inherited."""
    bound = listen("127.0.0.1", 0)
    try:
        yield bound
    finally:
        bound.close()


def port_of(bound: socket.socket) -> int:
    return int(bound.getsockname()[1])


@contextmanager
def process(
    command: Sequence[str],
    environment: Mapping[str, str],
    cores: Collection[int],
    *,
    sockets: Mapping[str, socket.socket] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that says when it is ready, ended at the end of the block.

    Raises:
        StartError: It ended instead, or was silent for a minute.
    """
    reading, writing = os.pipe()
    inherited = dict(sockets or {})
    told = {name: str(bound.fileno()) for name, bound in inherited.items()}
    with tempfile.TemporaryFile() as said:
        with pinned(cores):
            started = subprocess.Popen(  # noqa: S603  # programs of this repository
                command,
                cwd=REPOSITORY,
                env={**os.environ, **environment, **told, READY_VARIABLE: str(writing)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                pass_fds=(writing, *(bound.fileno() for bound in inherited.values())),
                start_new_session=True,
            )
        os.close(writing)
        try:
            _wait_until_ready(reading, command, said)
            yield started
        finally:
            os.close(reading)
            end(started)


def served(
    command: Sequence[str],
    environment: Mapping[str, str],
    cores: Collection[int],
    bound: socket.socket,
    more: Mapping[str, socket.socket] | None = None,
) -> AbstractContextManager[subprocess.Popen[bytes]]:
    """A program that serves on an inherited socket, and on ``more`` by their variables."""
    return process(command, environment, cores, sockets={LISTEN_VARIABLE: bound, **(more or {})})


def _wait_until_ready(reading: int, command: Sequence[str], said: IO[bytes]) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        if select.select([reading], [], [], deadline - time.monotonic())[0]:
            if os.read(reading, 64):
                return
            break
    said.seek(0)
    last = said.read()[-2000:].decode(errors="replace")
    raise StartError(f"{' '.join(command)} did not start:\n{last}")


def end(started: subprocess.Popen[bytes]) -> None:
    """Ask, wait, insist. A socket of a thousand clients may take its time to close."""
    if started.poll() is None:
        started.terminate()
        try:
            started.wait(timeout=_END_SECONDS)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
