"""Who holds how many connections of one port: a cap for each address, and one for all.

Counted by transport, so that whoever sees a connection end may say so, once or twice: the protocol
of a connection changes when it becomes a WebSocket, its transport does not. The proxies we trust
have no cap of their own, for each stands for all its clients; their clients are capped by open
sockets instead, where the forwarded address is known (``flood.SocketCaps``).
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from enum import Enum, auto

# The rule by which X-Forwarded-For is believed, so that both always mean the same proxies.
from uvicorn.middleware.proxy_headers import _TrustedHosts

from adapters.gateway.flood import network_of

# The refused are told why and given a moment to read it; beyond so many at a time they are cut.
_TOLD_MAX = 64


class Admission(Enum):
    """What became of a new connection."""

    ADMITTED = auto()
    ADDRESS_FULL = auto()
    PROCESS_FULL = auto()


class Connections:
    """The open connections of one port of one process."""

    def __init__(
        self,
        *,
        total_max: int,
        per_address_max: int | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self._total_max = total_max
        self._per_address_max = per_address_max
        self._trusted = _TrustedHosts(list(trusted_proxies))
        self._open: dict[asyncio.BaseTransport, str | None] = {}
        self._by_address: Counter[str] = Counter()
        self._told: set[asyncio.BaseTransport] = set()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def addresses(self) -> int:
        """How many addresses hold a connection that counts against a cap."""
        return len(self._by_address)

    def admit(self, transport: asyncio.BaseTransport, host: str | None) -> Admission:
        """Count a new connection of ``host`` (None: a Unix socket's peer), or say why not."""
        if len(self._open) >= self._total_max:
            return Admission.PROCESS_FULL
        address = None
        if self._per_address_max is not None and host is not None and host not in self._trusted:
            address = network_of(host)
            if self._by_address[address] >= self._per_address_max:
                return Admission.ADDRESS_FULL
            self._by_address[address] += 1
        self._open[transport] = address
        return Admission.ADMITTED

    def may_tell(self, transport: asyncio.BaseTransport) -> bool:
        """Whether a refused connection may be kept for the moment it takes to say why."""
        if len(self._told) >= _TOLD_MAX:
            return False
        self._told.add(transport)
        return True

    def left(self, transport: asyncio.BaseTransport) -> None:
        """The connection is gone, however it went."""
        self._told.discard(transport)
        address = self._open.pop(transport, None)
        if address is None:
            return
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]
