"""What the hub counts, for whoever wants to know."""

from enum import StrEnum
from typing import Protocol


class DropReason(StrEnum):
    """Why a frame was not shown."""

    OLD = "OLD"
    """Seen before, or overtaken: normal between subscribing and reading the latest."""
    CORRUPT = "CORRUPT"
    UNKNOWN = "UNKNOWN"
    """Of a topic that was just left."""


class HubMetrics(Protocol):
    """Cheap: called for every frame."""

    def frame_received(self) -> None: ...

    def frame_dropped(self, reason: DropReason) -> None: ...

    def values_conflated(self, count: int) -> None:
        """A watcher was too slow and skipped ``count`` values in favour of a newer one."""
        ...

    def connection_lost(self) -> None: ...

    def watchers_changed(self, *, watchers: int, topics: int) -> None: ...


class NullHubMetrics:
    """Counts nothing."""

    def frame_received(self) -> None: ...

    def frame_dropped(self, reason: DropReason) -> None: ...

    def values_conflated(self, count: int) -> None: ...

    def connection_lost(self) -> None: ...

    def watchers_changed(self, *, watchers: int, topics: int) -> None: ...
