"""Finding somebody by a value nobody can read: equal values have equal digests, and nothing else.

Keyed, because there are few enough e-mail addresses to try them all against a plain hash.
"""

import hmac
import unicodedata
from hashlib import sha256

_KEY_BYTES_MIN = 32


class BlindIndex:
    """Digests of values, one family of digests per field."""

    def __init__(self, key: bytes) -> None:
        if len(key) < _KEY_BYTES_MIN:
            raise ValueError(f"a blind index needs a key of at least {_KEY_BYTES_MIN} bytes")
        self._key = key

    def __repr__(self) -> str:
        return "BlindIndex(...)"

    def of_email(self, email: str) -> bytes:
        """The digest under which an address is found, however it was capitalised."""
        return self._digest("email", unicodedata.normalize("NFKC", email).strip().casefold())

    def of_address(self, address: str) -> bytes:
        """The digest of a network address."""
        return self._digest("address", address)

    def _digest(self, field: str, value: str) -> bytes:
        return hmac.digest(self._key, f"okd:{field}:{value}".encode(), sha256)
