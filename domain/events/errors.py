"""What a reader of events can get wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from domain.kernel.errors import UserError


class EventsErrorCode(StrEnum):
    """Codes of the events domain."""

    RESYNC_REQUIRED = "RESYNC_REQUIRED"


@dataclass(frozen=True)
class ResyncRequired(UserError):
    """The cursor is older than what is kept: read the account anew, then follow from now."""

    code: ClassVar[StrEnum] = EventsErrorCode.RESYNC_REQUIRED
    oldest_cursor: str

    @property
    def message(self) -> str:
        return "Events after this cursor are no longer kept. Read the account anew and follow on."

    @property
    def path(self) -> tuple[str, ...]:
        return ("after",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"oldestCursor": self.oldest_cursor}
