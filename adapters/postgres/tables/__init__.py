"""Every table of the platform, one module per domain, one PostgreSQL schema per domain."""

from adapters.postgres.tables.events import EventRow, EventStreamRow, OutboxRow
from adapters.postgres.tables.market import InstrumentRow
from adapters.postgres.tables.naming import METADATA

__all__ = ["METADATA", "EventRow", "EventStreamRow", "InstrumentRow", "OutboxRow"]
