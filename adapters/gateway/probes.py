"""Ready-made health probes: each needs one callable and knows no vendor."""

from collections.abc import Awaitable, Callable, Mapping

from domain.kernel.failures import Failure
from domain.kernel.ids import Category
from domain.market.model import FeedReport, FeedState
from domain.status import ComponentState, Finding

_UP = Finding(ComponentState.UP)

_BREAKER = {
    "closed": _UP,
    "half_open": Finding(ComponentState.DEGRADED, "being tried again"),
    "open": Finding(ComponentState.DOWN, "failed too often; not called for now"),
}

_FEED = {
    FeedState.LIVE: _UP,
    FeedState.STARTING: Finding(ComponentState.DEGRADED, "starting"),
    FeedState.SILENT: Finding(ComponentState.DEGRADED, "connected and silent; prices are stale"),
    FeedState.DISCONNECTED: Finding(ComponentState.DOWN, "disconnected; prices are stale"),
}


class PingProbe:
    """Up when ``ping`` returns; down when it raises a failure (or the board's patience ends)."""

    def __init__(self, name: str, ping: Callable[[], Awaitable[object]], *, required: bool) -> None:
        self.name = name
        self.required = required
        self._ping = ping

    async def look(self) -> Finding:
        try:
            await self._ping()
        except Failure as failure:
            return Finding(ComponentState.DOWN, failure.message)
        except OSError:  # TimeoutError is one, too
            return Finding(ComponentState.DOWN, "cannot be reached")
        return _UP


class BreakerProbe:
    """Shows a breaker's state: ``closed``, ``half_open`` or ``open``. Never asks the dependency."""

    def __init__(self, name: str, state: Callable[[], str], *, required: bool = False) -> None:
        self.name = name
        self.required = required
        self._state = state

    async def look(self) -> Finding:
        return _BREAKER[self._state()]


class FeedProbe:
    """Shows what the feed of one category last said of itself.

    Never required: with stale prices a dashboard still shows everything else.
    """

    required = False

    def __init__(
        self, category: Category, reports: Callable[[], Mapping[Category, FeedReport]]
    ) -> None:
        self.name = f"feed.{category}"
        self._category = category
        self._reports = reports

    async def look(self) -> Finding:
        report = self._reports().get(self._category)
        if report is None:
            return Finding(ComponentState.DOWN, "no feed has reported")
        return feed_finding(report.state)


def feed_finding(state: FeedState) -> Finding:
    """What a feed's state means for the platform."""
    return _FEED[state]
