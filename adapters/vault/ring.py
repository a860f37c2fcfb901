"""The ring of master keys: the first wraps new data keys, the others still open old ones.

Given as ``name:base64,name:base64``. To rotate, put a new key in front, restart everything, run
``app.py rotate-keys``, and take the old key out: no value has to be sealed again.
"""

import binascii
import os
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.vault.envelope import KEY_BYTES, DataKey, Tampered, seal, unseal


class KeyRingError(ValueError):
    """The ring cannot be used; the message says why and holds no key."""


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as the database keeps it."""

    master: str
    """The name of the master key that opens it."""
    sealed: bytes


class KeyRing:
    """Makes, opens and rewraps data keys."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise KeyRingError("give at least one master key")
        for name, key in keys.items():
            if len(key) != KEY_BYTES:
                raise KeyRingError(f"the master key {name!r} must have {KEY_BYTES} bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self.active = next(iter(keys))

    def __repr__(self) -> str:
        return f"KeyRing({list(self._ciphers)})"

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """From ``name:base64,...``, the active one first. Raises KeyRingError."""
        keys: dict[str, bytes] = {}
        for part in text.split(","):
            name, separator, encoded = part.strip().partition(":")
            if not separator or not name.isalnum():
                raise KeyRingError("master keys are written name:base64, separated by commas")
            if name in keys:
                raise KeyRingError(f"the master key {name!r} is there twice")
            try:
                keys[name] = b64decode(encoded, validate=True)
            except binascii.Error:
                raise KeyRingError(f"the master key {name!r} is not base64") from None
        return cls(keys)

    def make(self, owner: str) -> tuple[DataKey, WrappedKey]:
        """A new data key for ``owner``, and how to keep it."""
        key = os.urandom(KEY_BYTES)
        return DataKey(key), self._wrap(key, owner)

    def open(self, wrapped: WrappedKey, owner: str) -> DataKey:
        """Raises Tampered, also when the ring no longer has the master key."""
        return DataKey(self._unwrap(wrapped, owner))

    def rewrap(self, wrapped: WrappedKey, owner: str) -> WrappedKey | None:
        """The same data key under the active master key; None when it is already."""
        if wrapped.master == self.active:
            return None
        return self._wrap(self._unwrap(wrapped, owner), owner)

    def _wrap(self, key: bytes, owner: str) -> WrappedKey:
        return WrappedKey(
            self.active, seal(self._ciphers[self.active], key, place=_place(owner, self.active))
        )

    def _unwrap(self, wrapped: WrappedKey, owner: str) -> bytes:
        cipher = self._ciphers.get(wrapped.master)
        if cipher is None:
            raise Tampered(f"the ring has no master key {wrapped.master!r}")
        return unseal(cipher, wrapped.sealed, place=_place(owner, wrapped.master))


def _place(owner: str, master: str) -> str:
    return f"data-key:{owner}:{master}"
