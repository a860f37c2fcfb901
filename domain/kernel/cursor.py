"""Cursors of paged lists: opaque, signed, and bound to the list they were made for.

Signed because a cursor is an argument like any other: unsigned ones invite clients to build them,
and what is built by clients can never change again.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256

from domain.kernel.errors import BadInput

_SIGNATURE_BYTES = 12
_VERSION = b"v1"
# The same few catalogues are listed all the time, and signing is dear: 8 us a row.
_REMEMBERED = 4096


class CursorSigner:
    """Makes and opens cursors with one key shared by all processes of a deployment."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"okd cursor", sha256)
        self._signed = lru_cache(_REMEMBERED)(self._sign)

    def sign(self, list_name: str, position: str) -> str:
        """A cursor for ``position`` in ``list_name``, safe in a URL."""
        return self._signed(list_name, position)

    def _sign(self, list_name: str, position: str) -> str:
        body = b":".join((_VERSION, list_name.encode(), position.encode()))
        return urlsafe_b64encode(self._mac(body) + body).rstrip(b"=").decode()

    def open(self, list_name: str, cursor: str, *, argument: str = "after") -> str | BadInput:
        """The position inside ``cursor``; bad input when it was not made by us for this list."""
        try:
            raw = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
            signature, body = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            version, name, position = body.split(b":", 2)
            genuine = hmac.compare_digest(signature, self._mac(body))
            if genuine and version == _VERSION and name.decode() == list_name:
                return position.decode()
        except (
            ValueError
        ):  # not ASCII, not base64, not three parts, not UTF-8: all the same to a client
            pass
        return BadInput(
            argument, "this is not a cursor of this list; use pageInfo.endCursor as it came."
        )

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, sha256)[:_SIGNATURE_BYTES]
