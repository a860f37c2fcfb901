"""Watched trades: each told once, and a gap never in silence."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from adapters.redis.frames import Frame, Position
from adapters.redis.metrics import HubMetrics
from adapters.redis.names import Place
from adapters.redis.publisher import TAPE_TRADES_MAX
from adapters.redis.tape_codec import Tape, decode_tape
from adapters.redis.watched import WatchedTopic
from domain.market.conflation import TRADES_MAX
from domain.market.tape import Trade, Trades
from domain.market.topics import Follow
from domain.market.updates import Update

# What comes again after a failure is at most as much as was kept for it meanwhile.
IDS_MAX = TRADES_MAX
# Announced between subscribing and reading, which takes a second at most.
HELD_MAX = 1000


class TapeTopic(WatchedTopic[Tape]):
    """Reads the last trades first, then what was announced meanwhile, then what is announced.

    ``dropped`` says how many are missing; 1 stands for "at least one" when nobody knows.
    """

    def __init__(self, follow: Follow, place: Place, metrics: HubMetrics) -> None:
        super().__init__(follow, place, metrics)
        self._joined = False
        self._held: deque[tuple[Position, Tape]] = deque(maxlen=HELD_MAX)
        self._seen: dict[str, None] = {}
        self._last: str | None = None
        self._window: deque[Trade] = deque(maxlen=TAPE_TRADES_MAX)
        self._heard: Trades | None = None
        self._stale = True

    def subscribed(self) -> None:
        self._joined = False

    def read(self, raw: bytes | None) -> bool:
        self._joined = True
        held = list(self._held)
        self._held.clear()
        try:
            return raw is None or self.hear(raw)
        finally:
            for position, tape in held:
                self._take(position, tape)

    def _decoded(self, frame: Frame) -> Tape:
        return decode_tape(frame.data, self.follow.topic.instrument)

    def _take(self, position: Position, value: Tape) -> bool:
        if not self._joined:
            # If more are held than fit, the first that is kept does not follow on what was seen.
            self._held.append((position, value))
            return True
        if position <= self._position:
            return False
        self._position = position
        new = self._unseen(value.trades.trades)
        dropped = value.trades.dropped
        if self._is_behind_a_gap(value, new):
            dropped = max(dropped, 1)
        self._remember(value, new, whole=not dropped)
        self._show(replace(value.trades, trades=new, dropped=dropped))
        return True

    def _unseen(self, trades: Sequence[Trade]) -> tuple[Trade, ...]:
        # What is told again may begin before what a new watcher was shown: not behind it.
        known = max((i for i, t in enumerate(trades) if t.id in self._seen), default=-1)
        return tuple({t.id: t for t in trades[known + 1 :]}.values())

    def _is_behind_a_gap(self, tape: Tape, new: Sequence[Trade]) -> bool:
        if self._last is None or tape.after == self._last:
            return False
        if not tape.trades.trades:
            return tape.after is not None
        return bool(new) and all(t.id != self._last for t in tape.trades.trades)

    def _remember(self, tape: Tape, new: Sequence[Trade], *, whole: bool) -> None:
        if not whole:
            self._window.clear()
        self._window.extend(new)
        self._seen.update(dict.fromkeys(t.id for t in new))
        for oldest in list(islice(self._seen, max(0, len(self._seen) - IDS_MAX))):
            del self._seen[oldest]
        if new:
            self._last = new[-1].id
        elif not tape.trades.trades and tape.after is not None:
            self._last = tape.after

    def _show(self, trades: Trades) -> None:
        first = self._heard is None
        self._heard = replace(trades, trades=(), dropped=0)
        stale = trades.stale or not self._live
        if first or trades.trades or trades.dropped or stale != self._stale:
            self._stale = stale
            self._tell(replace(trades, stale=stale))

    def _newest(self) -> Update | None:
        if self._heard is None:
            return None
        return replace(self._heard, trades=tuple(self._window), stale=self._stale)

    def _show_state(self) -> None:
        if self._heard is not None:
            self._show(self._heard)
