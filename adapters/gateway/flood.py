"""The flood guard: how much one address may ask of one process.

A guard for the process, not a quota for a client (that is counted in Redis, per viewer and cost).
slowapi limits plain function routes only: a Mount is not limited at all, an instance route crashes,
a websocket is never seen, and its middleware breaks streamed answers. So it decorates the route of
``/graphql``, and sockets are counted here with the ``limits`` library it brings.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from slowapi import Limiter
from starlette.requests import HTTPConnection

# An IPv6 attacker has many networks; beyond this many counters all start anew.
_ADDRESSES_MAX = 50_000


class FloodGuard:
    """One per process; its counters live in this process's memory."""

    def __init__(self, limit: str) -> None:
        self.limit: RateLimitItem = parse(limit)
        self.slowapi = Limiter(key_func=address_of, storage_uri="memory://")
        self._storage = MemoryStorage()
        self._counter = FixedWindowRateLimiter(self._storage)

    def wait_seconds_of(self, address: str, what: str) -> float | None:
        """Count one ``what`` of ``address``; how long to wait when that is too much, else None."""
        if len(self._storage.storage) > _ADDRESSES_MAX:
            self._storage.reset()
        if self._counter.hit(self.limit, what, address):
            return None
        stats = self._counter.get_window_stats(self.limit, what, address)
        return max(0.0, stats.reset_time - time.time())

    def request_wait_seconds(self) -> float:
        """How long a refused HTTP request should wait: at most the limit's own window."""
        return float(self.limit.get_expiry())


class SocketCaps:
    """How many WebSockets each address holds open at this process. One per process.

    Connections are capped below (``server.connections``), but only here is the client behind a
    trusted proxy known.
    """

    def __init__(self, per_address_max: int) -> None:
        self._per_address_max = per_address_max
        self._open: Counter[str] = Counter()

    @property
    def addresses(self) -> int:
        """How many addresses hold one."""
        return len(self._open)

    @contextmanager
    def holding(self, address: str) -> Iterator[bool]:
        """Count one socket while it is open; False, and not counted, when that is one too many."""
        if self._open[address] >= self._per_address_max:
            yield False
            return
        self._open[address] += 1
        try:
            yield True
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


def address_of(request: HTTPConnection) -> str:
    """The client's address, in the form that limits count it by."""
    return network_of(request.client.host if request.client else "unknown")


def network_of(host: str) -> str:
    """An address; of IPv6 the network, for a subscriber owns a /64 and may roam in it."""
    try:
        address = ip_address(host)
    except ValueError:  # a Unix socket's peer
        return host
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Address(int(address) >> 64 << 64))
    return host
