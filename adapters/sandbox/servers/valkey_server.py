"""The Valkey server: a socket in a private directory, an append-only file, nothing else.

`appendfsync no`, not `everysec`: with `everysec` the server answers a write and may keep it in its
memory for up to two seconds while a slow fsync runs, and a kill -9 in that time loses what was
acknowledged (measured with an fsync of 4 s: 732 answered, 365 found; with `no` 747 of 747). With
`no` every write reaches the kernel before its answer. What is given up is a power cut, which may
now cost as much as the kernel holds back (30 s); Redis carries what can be rebuilt, and money lives
in PostgreSQL.
"""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from adapters.sandbox.servers.accounts import Account
from adapters.sandbox.servers.binaries import Binary
from adapters.sandbox.servers.layout import Layout, make_private
from adapters.sandbox.servers.wire import valkey_answers

_SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "dir": ".",
    "appendonly": "yes",
    "appendfsync": "no",
    "save": "",
    "maxmemory-policy": "noeviction",  # A full memory is an error seen, not a lease that vanished.
    "daemonize": "no",
    "pidfile": "valkey.pid",
    "loglevel": "warning",
}


def address(sockets: Path) -> str:
    return f"unix://{_socket(sockets)}"


def answers(sockets: Path) -> bool:
    return valkey_answers(_socket(sockets))


def _socket(sockets: Path) -> Path:
    return sockets / "valkey.sock"


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """A `Program` for the keeper."""

    layout: Layout
    account: Account
    binary: Binary
    sockets: Path

    name: ClassVar[str] = "valkey"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    @property
    def process_name(self) -> str:
        return self.binary.path.name[:15]  # The kernel keeps 15 bytes of a program's name.

    @property
    def directory(self) -> Path:
        return self.layout.data / "valkey"

    @property
    def pid_file(self) -> Path:
        return self.directory / "valkey.pid"

    @property
    def socket(self) -> Path:
        return _socket(self.sockets)

    def prepare(self) -> None:
        make_private(self.directory, self.account)
        self.pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {**_SETTINGS, "unixsocket": str(self.socket)}
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(self.binary.path), *flags]

    def answers(self) -> bool:
        return valkey_answers(self.socket)
