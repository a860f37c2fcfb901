"""Listening sockets that the supervisor owns and its children inherit.

The address outlives a child's `kill -9` (clients wait in the backlog instead of being refused), and
any number of web processes share one socket.
"""

import errno
import socket
import time
from pathlib import Path

from adapters.supervisor.terminal import StartError

_BACKLOG = 2048
_LISTEN_STATE = "0A"


def listen(host: str, port: int, *, patience_seconds: float = 0.0) -> socket.socket:
    """Bind and listen; port 0 takes any free one.

    A taken port is retried for `patience_seconds` (the children of a crashed instance may still be
    finishing) and then refused with the name of the program that holds it.
    """
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            return _bound(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE and time.monotonic() < deadline:
                time.sleep(0.1)  # The kernel tells nobody when a port becomes free.
                continue
            raise StartError(_refusal(host, port, error)) from error


def url_host(bound: socket.socket) -> str:
    """Return `host:port` of a listening socket as a client on this machine would write it."""
    host, port = bound.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = "127.0.0.1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _refusal(host: str, port: int, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"'{host}' is not an address of this machine. Use --host 127.0.0.1, or --host ::1."
    if error.errno == errno.EADDRINUSE:
        holder = holder_of(port)
        by = f" by {holder}" if holder else ""
        return f"Port {port} is taken{by}. Stop it, or choose another: --port {_free_near(port)}"
    if error.errno == errno.EACCES:
        return f"Port {port} needs special rights. Choose one above 1023: --port 8000"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is not an address of this machine. Use --host 127.0.0.1, or --host ::1."
    return f"Listening on {host}:{port} failed: {error.strerror}."


def _free_near(port: int) -> int:
    for candidate in range(port + 1, min(port + 100, 65536)):
        try:
            _bound("127.0.0.1", candidate).close()
        except OSError:
            continue
        return candidate
    return 0


def holder_of(port: int) -> str | None:
    """Name the program that listens on `port`, where /proc tells (Linux, own processes or root)."""
    inodes = _listening_inodes(port)
    if not inodes:
        return None
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _holds(entry, inodes):
            return _described(entry)
    return None


def _listening_inodes(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN_STATE and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _holds(process: Path, inodes: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in inodes for link in (process / "fd").iterdir())
    except OSError:
        return False  # Another person's process, or one that just ended.


def _described(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        name = (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return f"process {process.name}"
    return f"{name} (pid {process.name}: {words.strip()[:100]})"
