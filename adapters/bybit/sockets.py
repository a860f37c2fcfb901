"""websocket-client, as far as a stream needs it: dial, and say goodbye.

Its own ``WebSocketApp`` is not used: it cannot be told how long a dial may take, pings from a
second thread, and its read loop is what pybit's failures come from.
"""

import websocket

from adapters.bybit.config import is_loopback
from adapters.bybit.timings import StreamTimings


def dial(url: str, timings: StreamTimings) -> websocket.WebSocket:
    """Connect and shake hands. Raises OSError, WebSocketException."""
    sock = websocket.create_connection(
        url,
        timeout=timings.connect_timeout_seconds,
        # 48 % of a stock reader's time is a UTF-8 check in Python; orjson checks it again.
        skip_utf8_validation=True,
        redirect_limit=0,
        http_no_proxy=["*"] if is_loopback(url) else None,
    )
    sock.settimeout(timings.tick_seconds)
    return sock


def hang_up(sock: websocket.WebSocket) -> None:
    """Say goodbye without waiting for an answer, and close."""
    try:
        if sock.connected:
            sock.send_close()
    except (OSError, websocket.WebSocketException):
        pass  # politeness only: the socket goes either way
    sock.shutdown()  # type: ignore[no-untyped-call]  # the library types most, not this


def goodbye_of(data: bytes) -> str:
    """A word for a close frame: only codes that RFC 6455 (7.4) names, for it labels a metric."""
    code = int.from_bytes(data[:2], "big")
    return f"closed_{code}" if 1000 <= code <= 1015 else "closed"  # noqa: PLR2004  # as said
