"""Whether the feeds are alive, by what they say of themselves."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.kernel.clock import Clock
from domain.kernel.ids import Category
from domain.market.model import FeedReport, FeedState

# A feed reports at least twice a second: four missing reports are not a hiccup.
SILENCE_SECONDS_MAX = 2.0


@dataclass(slots=True)
class _Heard:
    report: FeedReport
    position: tuple[int, int]
    at: float
    silent_since: datetime | None


class FeedPulse:
    """The newest report of each category, and how long ago it was heard."""

    def __init__(self, categories: Collection[Category], clock: Clock) -> None:
        self._clock = clock
        now = clock.now()
        self._heard = {
            category: _Heard(
                FeedReport(category, FeedState.DISCONNECTED, now, epoch=0),
                position=(-1, -1),
                at=float("-inf"),
                silent_since=now,
            )
            for category in categories
        }

    def hear(self, report: FeedReport, position: tuple[int, int]) -> bool:
        """Take a report in; whether it was newer than all before."""
        heard = self._heard[report.category]
        if position <= heard.position:
            return False
        self._heard[report.category] = _Heard(report, position, self._clock.monotonic(), None)
        return True

    def lose(self) -> None:
        """Count nothing heard so far as recent: the way it came on is broken."""
        for heard in self._heard.values():
            heard.at = float("-inf")

    def live(self, category: Category) -> bool:
        """Whether prices of this category can be trusted now. False for one not followed."""
        heard = self._heard.get(category)
        return (
            heard is not None and heard.report.state is FeedState.LIVE and not self._silent(heard)
        )

    def reports(self) -> Mapping[Category, FeedReport]:
        """The newest of each; DISCONNECTED, since then, when it is silence."""
        return {category: self._shown(heard) for category, heard in self._heard.items()}

    def _shown(self, heard: _Heard) -> FeedReport:
        if not self._silent(heard):
            return heard.report
        since = heard.silent_since or self._clock.now()
        return replace(heard.report, state=FeedState.DISCONNECTED, since=since)

    def _silent(self, heard: _Heard) -> bool:
        silent = self._clock.monotonic() - heard.at > SILENCE_SECONDS_MAX
        if silent and heard.silent_since is None:
            heard.silent_since = self._clock.now()
        return silent
