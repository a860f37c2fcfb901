"""Health probes of the feed and the worker."""

from typing import Protocol

from adapters.gateway.probes import feed_finding
from domain.kernel.ids import Category
from domain.market.model import FeedReport
from domain.status import ComponentState, Finding


class Leading(Protocol):
    """A feed that may be leading."""

    @property
    def report(self) -> FeedReport | None: ...


class LeaderProbe:
    """How the feed of one category is in this very process; standing by is as good as leading."""

    required = False

    def __init__(self, category: Category, feed: Leading) -> None:
        self.name = f"feed.{category}"
        self._feed = feed

    async def look(self) -> Finding:
        report = self._feed.report
        if report is None:
            return Finding(ComponentState.UP, "standing by")
        return feed_finding(report.state)


class Measured(Protocol):
    """A clock that is compared with ours."""

    offset_seconds: float | None

    @property
    def tolerable(self) -> bool: ...


class VenueClockProbe:
    """Degraded when the venue would refuse what we sign for its time."""

    name = "exchange.clock"
    required = False

    def __init__(self, clock: Measured) -> None:
        self._clock = clock

    async def look(self) -> Finding:
        offset = self._clock.offset_seconds
        if offset is None:
            return Finding(ComponentState.DEGRADED, "not measured")
        if self._clock.tolerable:
            return Finding(ComponentState.UP)
        return Finding(ComponentState.DEGRADED, f"differs from ours by {offset:.1f} s; check NTP")
