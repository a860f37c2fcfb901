"""Keeping the log readable, and free of what vendors would put into it."""

import logging
import threading


class LogGate:
    """Lets one line per key and period through and counts the rest. Thread-safe."""

    def __init__(self, every_seconds: float = 10.0) -> None:
        self._every_seconds = every_seconds
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, int]] = {}

    def admit(self, key: str, now: float) -> int | None:
        """How many lines were suppressed since the last one; None when this one is, too.

        ``key`` must come from a small closed set: keys are never forgotten.
        """
        with self._lock:
            last, suppressed = self._kept.get(key, (None, 0))
            if last is not None and now - last < self._every_seconds:
                self._kept[key] = (last, suppressed + 1)
                return None
            self._kept[key] = (now, 0)
            return suppressed


def silence_pybit() -> None:
    """Take away the handlers pybit adds for each client, and everything below a warning.

    It adds a handler per HTTP object while the root logger has none (a line is then printed once
    per client), and its debug lines hold request bodies. Failures reach our log through us.
    """
    for name in (
        "pybit",
        "pybit._http_manager",
        "pybit.unified_trading",
        "pybit._websocket_stream",
    ):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(logging.WARNING)
