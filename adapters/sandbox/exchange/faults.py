"""What is broken on purpose right now: set by the control plane, read by all others."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.sandbox.exchange.venue import Topic
from domain.kernel.clock import Clock


class Timed(StrEnum):
    """Faults that are on or off until they end."""

    OUTAGE = "outage"
    REFUSE = "refuse"
    PINGS = "mutePings"


class Tampering(StrEnum):
    """What happens to the next deltas of a book."""

    SKIP = "skip"
    DUPLICATE = "duplicate"
    REORDER = "reorder"


@dataclass(slots=True)
class Forced:
    """What a path answers instead, for a time or for a number of requests."""

    status: int
    ret_code: int
    ret_msg: str
    headers: Mapping[str, str]
    until: float | None
    requests: int | None


@dataclass(slots=True)
class _Tampered:
    how: Tampering
    left: int
    held: str | None = None  # a delta that waits for its successor


@dataclass(slots=True)
class _Lasting:
    value: float = 0.0
    until: float = 0.0


@dataclass(slots=True)
class Faults:
    """Every fault ends by itself; setting it again replaces its end."""

    clock: Clock
    _timed: dict[Timed, float] = field(default_factory=dict)
    _silent_until: dict[Topic, float] = field(default_factory=dict)
    _tampered: dict[Topic, _Tampered] = field(default_factory=dict)
    _forced: dict[str, Forced] = field(default_factory=dict)
    _latency: _Lasting = field(default_factory=_Lasting)
    _skew: _Lasting = field(default_factory=_Lasting)

    def begin(self, fault: Timed, seconds: float) -> None:
        self._timed[fault] = self.clock.monotonic() + seconds

    def silence(self, topic: Topic, seconds: float) -> None:
        self._silent_until[topic] = self.clock.monotonic() + seconds

    def tamper(self, topic: Topic, how: Tampering, count: int) -> None:
        held = self._tampered[topic].held if topic in self._tampered else None
        self._tampered[topic] = _Tampered(how, count, held)

    def force(self, path: str, forced: Forced) -> None:
        self._forced[path] = forced

    def delay(self, latency_seconds: float, seconds: float) -> None:
        self._latency = _Lasting(latency_seconds, self.clock.monotonic() + seconds)

    def skew(self, offset_seconds: float, seconds: float) -> None:
        self._skew = _Lasting(offset_seconds, self.clock.monotonic() + seconds)

    def reset(self) -> None:
        """End everything; a delta that is held back still comes, in its place."""
        self._timed.clear()
        self._silent_until.clear()
        self._forced.clear()
        self._latency, self._skew = _Lasting(), _Lasting()
        for tampered in self._tampered.values():
            tampered.left = 0

    def is_on(self, fault: Timed) -> bool:
        return self.clock.monotonic() < self._timed.get(fault, 0.0)

    @property
    def is_out(self) -> bool:
        return self.is_on(Timed.OUTAGE)

    @property
    def refuses_sockets(self) -> bool:
        return self.is_out or self.is_on(Timed.REFUSE)

    @property
    def mutes_pings(self) -> bool:
        return self.is_on(Timed.PINGS)

    @property
    def latency_seconds(self) -> float:
        return self._value(self._latency)

    @property
    def skew_seconds(self) -> float:
        return self._value(self._skew)

    def is_silent(self, topic: Topic) -> bool:
        until = self._silent_until.get(topic) if self._silent_until else None
        if until is None:
            return False
        if self.clock.monotonic() < until:
            return True
        del self._silent_until[topic]
        return False

    def forced(self, path: str) -> Forced | None:
        """What this request is answered instead; counts it."""
        forced = self._forced.get(path)
        if forced is None:
            return None
        if forced.until is not None and self.clock.monotonic() >= forced.until:
            del self._forced[path]
            return None
        if forced.requests is not None:
            forced.requests -= 1
            if forced.requests <= 0:
                del self._forced[path]
        return forced

    def tampered(self, topic: Topic, frame: str) -> Iterable[str]:
        """What is sent in place of this frame."""
        state = self._tampered.get(topic) if self._tampered else None
        if state is None:
            return (frame,)
        held, state.held = state.held, None
        if not _is_delta(frame):
            return (frame,)  # A snapshot makes whole whatever was held back.
        if state.left <= 0:
            del self._tampered[topic]
            return (frame,) if held is None else (held, frame)
        if state.how is Tampering.REORDER and held is None:
            state.held = frame
            return ()
        state.left -= 1
        if state.how is Tampering.REORDER and held is not None:
            return (frame, held)
        return () if state.how is Tampering.SKIP else (frame, frame)

    def remaining(self) -> dict[str, object]:
        """What is active, with what is left of each, for the control plane's state."""
        now = self.clock.monotonic()
        state: dict[str, object] = {
            fault.value: round(max(0.0, self._timed.get(fault, 0.0) - now), 3) for fault in Timed
        }
        state["silence"] = {
            _name(topic): round(until - now, 3)
            for topic, until in self._silent_until.items()
            if until > now
        }
        state["books"] = {
            _name(topic): {"fault": tampered.how.value, "deltas": tampered.left}
            for topic, tampered in self._tampered.items()
            if tampered.left > 0
        }
        state["forced"] = {
            path: _forced_state(forced, now)
            for path, forced in self._forced.items()
            if forced.until is None or forced.until > now
        }
        state["latencyMs"] = round(self.latency_seconds * 1000)
        state["skewMs"] = round(self.skew_seconds * 1000)
        return state

    def _value(self, lasting: _Lasting) -> float:
        return lasting.value if self.clock.monotonic() < lasting.until else 0.0


class SkewedClock:
    """The exchange's own clock: the machine's, and wrong while a skew lasts."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults

    def now(self) -> datetime:
        return self._clock.now() + timedelta(seconds=self._faults.skew_seconds)

    def monotonic(self) -> float:
        return self._clock.monotonic()


def _is_delta(frame: str) -> bool:
    return '"type":"delta"' in frame


def _name(topic: Topic) -> str:
    return f"{topic.category}:{topic.name}"


def _forced_state(forced: Forced, now: float) -> dict[str, object]:
    left: dict[str, object] = {"status": forced.status, "retCode": forced.ret_code}
    if forced.until is not None:
        left["seconds"] = round(forced.until - now, 3)
    if forced.requests is not None:
        left["requests"] = forced.requests
    return left
