"""Identifiers: time-ordered UUIDs of our own making, and the venue's names for what trades."""

import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
Symbol = NewType("Symbol", str)
AssetCode = NewType("AssetCode", str)


class Category(StrEnum):
    """The venue's product families. One symbol may exist in several (Bybit v5, "category")."""

    LINEAR = "LINEAR"
    SPOT = "SPOT"


class Side(StrEnum):
    """Who took: a BUY lifts an ask, a SELL hits a bid."""

    BUY = "BUY"
    SELL = "SELL"


@dataclass(frozen=True, slots=True, order=True)
class InstrumentId:
    """The name of an instrument: ``BTCUSDT`` alone is both a perpetual and a spot pair."""

    category: Category
    symbol: Symbol

    def __str__(self) -> str:
        return f"{self.category}:{self.symbol}"


def new_uuid7() -> UUID:
    """Make a UUIDv7 (RFC 9562): 48 bits of milliseconds, 74 random bits.

    Made here because neither Python 3.11 nor PostgreSQL 15 has it. Identifiers reveal when they
    were made; their order within one millisecond is not defined.
    """
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)
