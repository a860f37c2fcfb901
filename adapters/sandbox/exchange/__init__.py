"""The sandbox exchange: Bybit V5 spoken over real sockets, simulated or replayed."""

from adapters.sandbox.exchange.app import create_exchange
from adapters.sandbox.exchange.recording import RecordingError

__all__ = ["RecordingError", "create_exchange"]
