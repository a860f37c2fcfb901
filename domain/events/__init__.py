"""Events read again: everything missed, then live, without a gap and without a double."""

from domain.events.errors import EventsErrorCode, ResyncRequired
from domain.events.relay import Relay
from domain.events.service import EventStreams

__all__ = ["EventStreams", "EventsErrorCode", "Relay", "ResyncRequired"]
