"""How connections end. The table of docs/subscriptions.md, for people, says the same."""

from dataclasses import dataclass
from enum import IntEnum


class CloseCode(IntEnum):
    """Codes we close with. 1007, 1009 and 1012 are the server's below us."""

    SILENT = 1001
    """The client gave no sign of life."""
    INTERNAL = 1011
    """Our fault; clients try again."""
    SLOW_READER = 1013
    """What was sent was not read in time; clients connect anew and get the newest values."""
    TRY_AGAIN_LATER = 1013  # the same code of RFC 6455's registry, another reason
    """Who is calling cannot be found out right now."""
    BAD_REQUEST = 4400
    """A frame the protocol does not know."""
    UNAUTHORIZED = 4401
    """An operation before the acknowledgement. Clients do not try again."""
    FORBIDDEN = 4403
    """Expired, revoked or frozen: clients try again with a fresh token."""
    SUBPROTOCOL = 4406
    """The client does not speak graphql-transport-ws."""
    INIT_TIMEOUT = 4408
    """No ``connection_init`` in time."""
    DUPLICATE_ID = 4409
    """The id belongs to an operation that runs."""
    TOO_MANY_REQUESTS = 4429
    """A second ``connection_init``, or a flood of pings. Clients do not try again."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection ended; without a code the client (or the server below us) closed it."""

    code: int | None
    reason: str
