"""What is subscribed on one connection, and what to send next. Pure: no socket, no clock.

A topic walks UNSENT -> ASKED -> FOLLOWED; a request that is refused is asked again topic by topic,
so that one bad symbol takes no other with it, and a topic refused alone is REJECTED for a while. It
is registered before its request is sent: the snapshot may overtake the acknowledgement.

A topic without frames is first asked anew (unsubscribe, subscribe): the answer is a snapshot. Only
one that stays quiet even then is silent; how long a topic may be quiet doubles each time it was
merely quiet, so that a dull market is left in peace. Trades and candles come when somebody trades:
their silence says nothing, and the connection's own watchdog is theirs.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import count

from adapters.bybit.timings import StreamTimings
from adapters.bybit.wire_topics import speaks_regularly

TOPICS_PER_REQUEST_MAX = 10
"""Bybit v5 "Connect": spot takes ten args a request; the others are kept to the same."""


class _Phase(Enum):
    UNSENT = auto()
    ASKED = auto()
    FOLLOWED = auto()
    REJECTED = auto()


@dataclass(slots=True)
class _Topic:
    patience_seconds: float
    phase: _Phase = _Phase.UNSENT
    alone: bool = False
    asked_at: float = 0.0
    heard_at: float = 0.0
    regular: bool = True
    """Whether its silence means something."""
    refresh_gap_seconds: float = 0.0
    probed_at: float | None = None
    silent: bool = False
    renewed: bool = False
    """Unsent because its snapshot is asked for anew: it is left first, in the same breath."""


@dataclass(frozen=True, slots=True)
class Request:
    """One message to send: ``op`` is subscribe or unsubscribe."""

    op: str
    request_id: str
    topics: tuple[str, ...]


class Subscriptions:
    """The registry of one stream; used by its reader thread only."""

    def __init__(self, timings: StreamTimings) -> None:
        self._timings = timings
        self._topics: dict[str, _Topic] = {}
        self._leaving: dict[str, float] = {}  # topic -> when to say so, again if frames still come
        self._open: dict[str, tuple[Request, float]] = {}
        self._numbers = count(1)

    def restart(self, now: float) -> None:
        """A new connection: nothing is subscribed there."""
        self._leaving.clear()
        self._open.clear()
        for name in self._topics:
            self._topics[name] = self._new(name, now)

    def want(self, wanted: Collection[str], now: float) -> None:
        """Follow exactly these topics."""
        for name in [name for name in self._topics if name not in wanted]:
            if self._topics.pop(name).phase in (_Phase.ASKED, _Phase.FOLLOWED):
                self._leaving[name] = now
        for name in wanted:
            if name not in self._topics:
                self._topics[name] = self._new(name, now)
                if self._leaving.get(name, now) > now:
                    del self._leaving[name]  # else it would be left again after its subscribe

    def requests(self, now: float) -> list[Request]:
        """What to send now, unsubscribing first; asked for it, a topic counts as sent."""
        for topic in self._topics.values():
            self._review(topic, now)
        self._open = {k: v for k, v in self._open.items() if now - v[1] < self._ack_kept_seconds}
        unsent = [(name, t) for name, t in self._topics.items() if t.phase is _Phase.UNSENT]
        # Leave what is left for good, and what is asked anew: Bybit refuses to subscribe twice.
        left = [name for name, due in self._leaving.items() if due <= now]
        left += [name for name, topic in unsent if topic.renewed and name not in left]
        due = [self._request("unsubscribe", names, now) for names in _chunks(left)]
        together = [name for name, topic in unsent if not topic.alone]
        singles = ((name,) for name, topic in unsent if topic.alone)
        due += [self._request("subscribe", n, now) for n in (*_chunks(together), *singles)]
        for name in left:
            self._leaving.pop(name, None)
        for _, topic in unsent:
            topic.phase, topic.asked_at, topic.renewed = _Phase.ASKED, now, False
        return due

    def answered(
        self, request_id: object, *, accepted: bool, already: bool = False, now: float
    ) -> list[str]:
        """Take an acknowledgement in; the topics that are rejected for good by it.

        ``already``: refused because it is subscribed. Alone that is success; of several topics it
        is not known which, and none was taken.
        """
        if not isinstance(request_id, str):
            return []
        request, _ = self._open.pop(request_id, (None, now))
        if request is None or request.op != "subscribe":
            return []
        rejected: list[str] = []
        for name in request.topics:
            topic = self._topics.get(name)
            if topic is None or topic.phase is not _Phase.ASKED:
                continue  # no longer wanted, or its data has come already
            if accepted or (already and len(request.topics) == 1):
                topic.phase = _Phase.FOLLOWED
            elif len(request.topics) > 1:
                topic.phase, topic.alone = _Phase.UNSENT, True
            else:
                topic.phase, topic.asked_at = _Phase.REJECTED, now
                rejected.append(name)
        return rejected

    def heard(self, name: str, now: float) -> bool:
        """A frame of this topic came; false when nobody wants it (any more)."""
        topic = self._topics.get(name)
        if topic is None:
            # Still flowing although we left: say so again, but not for each frame in flight.
            self._leaving.setdefault(name, now + self._timings.ack_timeout_seconds)
            return False
        lively = now - topic.heard_at < self._timings.topic_silent_after_seconds
        if topic.probed_at is None and lively:
            topic.patience_seconds = self._timings.topic_silent_after_seconds
        topic.phase, topic.alone, topic.heard_at = _Phase.FOLLOWED, False, now
        topic.probed_at, topic.silent = None, False
        return True

    def refresh(self, name: str, now: float) -> None:
        """Ask for a fresh snapshot, unless that was done a moment ago.

        The moment doubles with every refresh: a venue whose book is broken is not hammered.
        """
        topic = self._topics.get(name)
        if topic is None or topic.phase is not _Phase.FOLLOWED:
            return
        asked_for = now - topic.asked_at
        if asked_for >= 2 * self._timings.refresh_gap_max_seconds:
            topic.refresh_gap_seconds = self._timings.refresh_gap_seconds  # it was sound for long
        if asked_for < topic.refresh_gap_seconds:
            return
        topic.refresh_gap_seconds = min(
            topic.refresh_gap_seconds * 2, self._timings.refresh_gap_max_seconds
        )
        topic.phase, topic.renewed = _Phase.UNSENT, True

    def newly_silent(self, now: float) -> list[str]:
        """Topics that fell silent since the last time this was asked."""
        found = [
            name
            for name, topic in self._topics.items()
            if not topic.silent
            and topic.probed_at is not None
            and topic.phase is not _Phase.REJECTED
            and now - topic.probed_at >= self._timings.probe_timeout_seconds
        ]
        for name in found:
            self._topics[name].silent = True
        return found

    @property
    def all_silent(self) -> bool:
        """Whether all that speaks regularly is silent: then the connection is to blame."""
        followed = [
            topic
            for topic in self._topics.values()
            if topic.regular and topic.phase is not _Phase.REJECTED
        ]
        return bool(followed) and all(topic.silent for topic in followed)

    @property
    def _ack_kept_seconds(self) -> float:
        return 4 * self._timings.ack_timeout_seconds

    def _new(self, name: str, now: float) -> _Topic:
        return _Topic(
            self._timings.topic_silent_after_seconds,
            asked_at=now,
            heard_at=now,
            regular=speaks_regularly(name),
            refresh_gap_seconds=self._timings.refresh_gap_seconds,
        )

    def _request(self, op: str, names: Iterable[str], now: float) -> Request:
        request = Request(op, f"{op[0]}{next(self._numbers)}", tuple(names))
        self._open[request.request_id] = request, now
        return request

    def _review(self, topic: _Topic, now: float) -> None:
        asked_for = now - topic.asked_at
        if topic.phase is _Phase.REJECTED:
            if asked_for >= self._timings.rejected_retry_seconds:
                topic.phase, topic.alone, topic.heard_at = _Phase.UNSENT, True, now
            return
        if topic.phase is _Phase.ASKED and asked_for >= self._timings.ack_timeout_seconds:
            topic.phase = _Phase.UNSENT
        if not topic.regular:
            return
        quiet_since = topic.heard_at if topic.probed_at is None else topic.probed_at
        if now - quiet_since >= topic.patience_seconds:
            topic.patience_seconds = min(
                topic.patience_seconds * 2, self._timings.topic_patience_max_seconds
            )
            topic.phase, topic.probed_at, topic.renewed = _Phase.UNSENT, now, True


def _chunks(names: list[str]) -> Iterator[tuple[str, ...]]:
    for start in range(0, len(names), TOPICS_PER_REQUEST_MAX):
        yield tuple(names[start : start + TOPICS_PER_REQUEST_MAX])
