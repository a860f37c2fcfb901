"""Who listens to what. A frame is encoded once and the same text is handed to every listener.

A listener is never waited for: each has a bounded queue of its own, and one whose queue is full is
closed. No frame is ever dropped for a listener that stays, because a ticker delta lost is a state
wrong until the next snapshot.
"""

import asyncio
from collections import Counter
from collections.abc import Callable

import structlog

from adapters.sandbox.exchange.faults import Faults
from adapters.sandbox.exchange.venue import Topic

log = structlog.get_logger()

# About 9 s of every topic of this exchange at once (measured: 890 frames a second): longer than any
# pause a live reader makes. The texts are shared, so a full queue of one listener costs 64 KiB.
QUEUE_FRAMES = 8_192


class Listener:
    """One socket's side of the hub."""

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_FRAMES)
        self.topics: set[Topic] = set()
        self.closing = asyncio.Event()
        self.close_code = 1001
        self.is_aborted = False

    def offer(self, frame: str) -> None:
        if self.closing.is_set():
            return
        try:
            self.queue.put_nowait(frame)
        except asyncio.QueueFull:
            log.warning("slow_socket_closed", conn_id=self.conn_id, queued=QUEUE_FRAMES)
            self.close(1013)

    def close(self, code: int) -> None:
        self.close_code = code
        self.closing.set()

    def abort(self) -> None:
        """End without a word."""
        self.is_aborted = True
        self.closing.set()


class Hub:
    """Implements `venue.Feed` for a market, and keeps the listeners of each topic."""

    def __init__(self, faults: Faults, snapshot: Callable[[Topic], str | None]) -> None:
        self._faults = faults
        self._snapshot = snapshot
        self._listeners: dict[Topic, set[Listener]] = {}
        self._everyone: set[Listener] = set()
        self._interrupted: set[Topic] = set()

    def join(self, listener: Listener) -> None:
        self._everyone.add(listener)

    def leave(self, listener: Listener) -> None:
        self._everyone.discard(listener)
        for topic in tuple(listener.topics):
            self.unsubscribe(listener, topic)

    def subscribe(self, listener: Listener, topic: Topic) -> None:
        """Start with a snapshot; nothing published between it and the next frame can be missed."""
        self._listeners.setdefault(topic, set()).add(listener)
        listener.topics.add(topic)
        if self._faults.is_silent(topic):
            self._interrupted.add(topic)
        elif (snapshot := self._snapshot(topic)) is not None:
            listener.offer(snapshot)

    def unsubscribe(self, listener: Listener, topic: Topic) -> None:
        listener.topics.discard(topic)
        listeners = self._listeners.get(topic, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(topic, None)

    def wants(self, topic: Topic) -> bool:
        return topic in self._listeners

    def publish(self, topic: Topic, frame: str) -> None:
        if self._faults.is_silent(topic):
            self._interrupted.add(topic)
            return
        if topic in self._interrupted:
            # Deltas were withheld: only a snapshot makes the listeners whole again.
            self._interrupted.discard(topic)
            if topic.is_merged:
                frame = self._snapshot(topic) or frame
        for sent in self._faults.tampered(topic, frame):
            for listener in self._listeners.get(topic, ()):
                listener.offer(sent)

    def drop_all(self, code: int = 1001) -> int:
        """Close every socket; returns how many there were."""
        dropped = len(self._everyone)
        for listener in self._everyone:
            listener.close(code)
        return dropped

    def abort_all(self) -> int:
        """Reset every socket's connection; returns how many there were."""
        for listener in self._everyone:
            listener.abort()
        return len(self._everyone)

    def counts(self) -> dict[str, object]:
        topics = Counter(
            {f"{topic.category}:{topic.name}": len(who) for topic, who in self._listeners.items()}
        )
        return {"sockets": len(self._everyone), "topics": dict(sorted(topics.items()))}
