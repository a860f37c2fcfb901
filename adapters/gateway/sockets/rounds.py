"""Waiting for thousands of sockets by one timer: all of a round wait equally long."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import takewhile


class Rounds:
    """Calls back ``seconds`` after each was entered. One per process and length of time.

    All wait equally long, so that whoever came first is due first: no heap, no task, no timer of
    their own.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: OrderedDict[Hashable, tuple[float, Callable[[], None]]] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def enter(self, who: Hashable, call: Callable[[], None]) -> None:
        """Call once, unless ``who`` leaves before; entering again begins the wait anew."""
        loop = asyncio.get_running_loop()
        self._waiting[who] = (loop.time() + self._seconds, call)
        self._waiting.move_to_end(who)
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._turn)

    def leave(self, who: Hashable) -> None:
        """Harmless for who is not waiting."""
        self._waiting.pop(who, None)
        if not self._waiting and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = loop.time()
        due = list(takewhile(lambda entry: entry[1][0] <= now, self._waiting.items()))
        for who, _ in due:
            del self._waiting[who]
        for _, (_, call) in due:
            call()  # may enter again, at the end
        if self._waiting and self._timer is None:
            first, _ = next(iter(self._waiting.values()))
            self._timer = loop.call_at(first, self._turn)
