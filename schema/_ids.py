"""Global ids: opaque to clients, and of one type, so that none is taken for another's."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from operator import attrgetter
from typing import Any
from uuid import UUID

import strawberry

from domain.kernel.errors import BadInput


def encode_id(kind: str, value: UUID) -> strawberry.ID:
    """base64url("Type:uuid") without padding, safe in a URL."""
    return strawberry.ID(urlsafe_b64encode(f"{kind}:{value}".encode()).rstrip(b"=").decode())


def decode_id(text: str, kind: str, *, argument: str) -> UUID | BadInput:
    """The UUID inside; bad input when it is not the id of a ``kind``.

    Not signed: an id gives no access, whoever asks may see what is theirs and nothing else.
    """
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode("ascii")
        found, _, value = raw.partition(":")
        decoded = UUID(value)
    except (ValueError, binascii.Error):
        return BadInput(argument, f"this is not the id of a {kind}; send one as it came.")
    if found != kind or encode_id(kind, decoded) != text:
        return BadInput(argument, f"this is not the id of a {kind}; send one as it came.")
    return decoded


def id_of(kind: str, attribute: str = "id", *, description: str = "Opaque and unique.") -> Any:
    """A field that shows a UUID of the domain object as a global id; null when there is none."""
    read = attrgetter(attribute)

    def global_id(root: Any) -> strawberry.ID | None:
        value = read(root)
        return None if value is None else encode_id(kind, value)

    return strawberry.field(resolver=global_id, description=description, metadata={"id_of": kind})


def id_in_body(kind: str, name: str, *, description: str) -> Any:
    """A field that shows a UUID in the body of an event as a global id; null when it has none."""

    def global_id(root: Any) -> strawberry.ID | None:
        value = root.body.get(name)
        return None if value is None else encode_id(kind, UUID(value))

    return strawberry.field(resolver=global_id, description=description, metadata={"id_of": kind})
