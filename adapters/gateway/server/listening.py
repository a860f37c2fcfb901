"""Listening sockets, and room for what connects to them."""

import resource
import socket

BACKLOG = 2048
# Databases, the log, the exchange: what a process holds open besides its clients.
_DESCRIPTORS_OF_OURS = 256


class StartFailed(Exception):
    """This process cannot serve; the message says why, its cause is in the log."""


def listen(fd: int | None, host: str, port: int) -> socket.socket:
    """The inherited listening socket ``fd``, or one of our own. Raises StartFailed."""
    if fd is not None:
        return socket.socket(fileno=fd)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def make_room(connections_max: int) -> int:
    """Raise this process's limit of open files as far as needed and allowed.

    Returns how many connections fit: fewer than asked for where the system says so. Accepting
    without a free descriptor would spin the loop on EMFILE instead of refusing anybody.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections_max + _DESCRIPTORS_OF_OURS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return connections_max
    allowed = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
    return max(1, min(connections_max, max(soft, allowed) - _DESCRIPTORS_OF_OURS))


def _cannot_listen(host: str, port: int, error: OSError) -> StartFailed:
    return StartFailed(f"Cannot listen on {host}:{port}: {error.strerror or error}.")
