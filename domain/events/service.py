"""Following a stream: all missed, then live, no gap and no double."""

import asyncio
import random
from collections.abc import AsyncGenerator

from domain.events.errors import ResyncRequired
from domain.events.ports import EventLog, EventSignals
from domain.kernel.errors import BadInput
from domain.kernel.events import Event, StreamName, event_cursor, sequence_of
from domain.kernel.failures import Failure

PAGE = 200
# A signal lost with Redis costs this much delay, and nothing else.
LOOK_EVERY_SECONDS = 2.0
RETRY_SECONDS_MIN = 0.1
RETRY_SECONDS_MAX = 2.0


class EventStreams:
    """Reads streams for whoever the caller has decided may."""

    def __init__(
        self,
        log: EventLog,
        signals: EventSignals,
        *,
        look_every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._log = log
        self._signals = signals
        self._look_every_seconds = look_every_seconds

    async def newest(self, stream: StreamName) -> int:
        """The sequence of the newest event; 0 when nothing happened yet.

        Raises Unavailable, TimedOut.
        """
        return (await self._log.bounds(stream))[1]

    async def follow(
        self, stream: StreamName, *, after: str | None
    ) -> AsyncGenerator[Event, None] | BadInput | ResyncRequired:
        """Every event after the cursor in order, then each new one; from now on without one.

        What is yielded is exact whatever is lost between the processes: signals only say when to
        look, the log says what there is. Raises Unavailable, TimedOut before the first event only;
        later it waits for the log to come back.
        """
        oldest, newest = await self._log.bounds(stream)
        if after is None:
            return self._read_on(stream, newest)
        sequence = sequence_of(after, stream)
        if isinstance(sequence, BadInput):
            return sequence
        # Past the newest: the database was set back to an older day, and numbers begin anew.
        if not oldest - 1 <= sequence <= newest:
            return ResyncRequired(event_cursor(stream, oldest - 1))
        return self._read_on(stream, sequence)

    async def _read_on(self, stream: StreamName, sequence: int) -> AsyncGenerator[Event, None]:
        backoff = RETRY_SECONDS_MIN
        async with self._signals.of(stream) as signal:
            while True:
                try:
                    events = await self._log.after(stream, sequence, limit=PAGE)
                except Failure:
                    await asyncio.sleep(backoff * random.uniform(0.5, 1))  # noqa: S311  # jitter
                    backoff = min(backoff * 2, RETRY_SECONDS_MAX)
                    continue
                backoff = RETRY_SECONDS_MIN
                for event in events:
                    if event.sequence != sequence + 1:  # numbers are taken under a lock
                        raise RuntimeError(f"{stream} has a gap after {sequence}")
                    yield event
                    sequence = event.sequence
                if len(events) < PAGE:
                    # Jitter: thousands of readers woken together do not look together for ever.
                    await signal.wait(self._look_every_seconds * random.uniform(0.75, 1))  # noqa: S311
