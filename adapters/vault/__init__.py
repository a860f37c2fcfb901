"""Personal data at rest: one data key per user under a ring of master keys.

Whoever holds a copy of the database and no master key reads nobody. Destroying one user's data key
makes that user unreadable for ever, in backups too.
"""

from adapters.vault.blind import BlindIndex
from adapters.vault.envelope import DataKey, Shredded, Tampered
from adapters.vault.ring import KeyRing, KeyRingError, WrappedKey

__all__ = [
    "BlindIndex",
    "DataKey",
    "KeyRing",
    "KeyRingError",
    "Shredded",
    "Tampered",
    "WrappedKey",
]
