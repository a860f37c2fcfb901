"""What is broken on purpose right now: set by the control plane, read by all others."""

from adapters.sandbox.exchange.venue import Topic
from domain.kernel.clock import Clock


class Faults:
    """Every fault ends by itself; setting it again replaces its end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refuse_until = self._outage_until = clock.monotonic()
        self._silent_until: dict[Topic, float] = {}

    def refuse(self, seconds: float) -> None:
        self._refuse_until = self._clock.monotonic() + seconds

    def outage(self, seconds: float) -> None:
        self._outage_until = self._clock.monotonic() + seconds

    def silence(self, topic: Topic, seconds: float) -> None:
        self._silent_until[topic] = self._clock.monotonic() + seconds

    @property
    def is_out(self) -> bool:
        return self._clock.monotonic() < self._outage_until

    @property
    def refuses_sockets(self) -> bool:
        return self._clock.monotonic() < max(self._refuse_until, self._outage_until)

    def is_silent(self, topic: Topic) -> bool:
        if not self._silent_until:
            return False
        until = self._silent_until.get(topic)
        if until is None:
            return False
        if self._clock.monotonic() < until:
            return True
        del self._silent_until[topic]
        return False

    def remaining(self) -> dict[str, object]:
        """Seconds left of each fault, for the control plane's state."""
        now = self._clock.monotonic()
        return {
            "outage": round(max(0.0, self._outage_until - now), 3),
            "refuse": round(max(0.0, self._refuse_until - now), 3),
            "silence": {
                f"{topic.category}:{topic.name}": round(until - now, 3)
                for topic, until in self._silent_until.items()
                if until > now
            },
        }
