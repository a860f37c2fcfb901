"""What proofs need of the world, beside ``ports``."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from domain.kernel.ids import AssetCode, UserId
from domain.wallets.proofs import DayRoot, Liabilities, Owed, Tree


@dataclass(frozen=True, slots=True)
class KeptLeaf:
    """Where somebody stands in a day's tree."""

    published: Liabilities
    part: Sequence[Owed]
    """The leaves kept together with theirs."""
    number: int
    """Of that part."""
    crowns: bytes
    """The roots of all parts."""


class PublishedDays(Protocol):
    """Reading what was published. Raises Unavailable, TimedOut."""

    async def day_root(self, day: date) -> DayRoot | None: ...

    async def liabilities(self, day: date) -> Sequence[Liabilities]:
        """In the order of codes."""
        ...

    async def secret(self, day: date) -> bytes | None:
        """What the day's owners are blinded with. Never shown."""
        ...

    async def leaf(self, day: date, asset: AssetCode, owner: bytes) -> KeptLeaf | None:
        """Where a blinded owner would stand; whether they do, the part says."""
        ...


class Closing(Protocol):
    """Closing days, each once and for ever. Raises Unavailable, TimedOut, Conflict."""

    async def last(self) -> DayRoot | None:
        """The newest day that is closed."""
        ...

    async def first_day(self) -> date | None:
        """The day of the chain's first entry; nothing while the chain is empty."""
        ...

    async def is_sealed(self, before: datetime) -> bool:
        """Whether every entry of before that time is in the chain."""
        ...

    async def last_number(self, before: datetime) -> int:
        """The highest number in the chain of an entry of before that time; 0 when there is none."""
        ...

    def totals(self, last_number: int) -> AsyncGenerator[tuple[AssetCode, UserId, Decimal], None]:
        """What everybody has right after that number, by the journal: asset after asset.

        Who once had something of an asset is among them for ever.
        """
        ...

    async def close(
        self,
        day: date,
        *,
        last_number: int,
        trees: Sequence[Tree],
        secret: bytes,
        at: datetime,
    ) -> DayRoot | None:
        """Keep the day's trees and its root; nothing when somebody else was faster."""
        ...
