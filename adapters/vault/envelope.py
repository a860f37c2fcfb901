"""One user's data key, and values under it: AES-256-GCM with the place as associated data.

A sealed value is ``0x01 | nonce (12 bytes) | ciphertext | tag (16 bytes)``. Nonces are random: at
2^32 values under one key (NIST SP 800-38D, 8.3) a person would have to change their address for
some thousand years.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12
_VERSION = b"\x01"
_SHORTEST = len(_VERSION) + NONCE_BYTES + 16


class Tampered(Exception):
    """A sealed value was not made by this key for this place. Says nothing of what it holds."""


class Shredded(Exception):
    """The key was destroyed: what it sealed is gone for good."""


class DataKey:
    """Seals and opens the personal data of one user. Never shown, never logged."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def __repr__(self) -> str:
        return "DataKey(...)"

    def seal(self, value: str, *, place: str) -> bytes:
        """``value`` for ``place``: ``<user id>:<column>``, so that no value can be moved."""
        return self.seal_bytes(value.encode(), place=place)

    def open(self, sealed: bytes, *, place: str) -> str:
        """What was sealed for ``place``. Raises Tampered."""
        return self.open_bytes(sealed, place=place).decode()

    def seal_bytes(self, value: bytes, *, place: str) -> bytes:
        """A part of a file, for ``place``: the file and the part's number in it."""
        return seal(self._cipher, value, place=place)

    def open_bytes(self, sealed: bytes, *, place: str) -> bytes:
        """What was sealed for ``place``. Raises Tampered."""
        return unseal(self._cipher, sealed, place=place)


def seal(cipher: AESGCM, value: bytes, *, place: str) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return _VERSION + nonce + cipher.encrypt(nonce, value, _VERSION + place.encode())


def unseal(cipher: AESGCM, sealed: bytes, *, place: str) -> bytes:
    if len(sealed) < _SHORTEST or sealed[:1] != _VERSION:
        raise Tampered("this is not a sealed value")
    nonce, rest = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, rest, _VERSION + place.encode())
    except InvalidTag:
        raise Tampered("this value was not sealed by this key for this place") from None
