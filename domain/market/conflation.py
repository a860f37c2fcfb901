"""What is kept of values that come faster than they are taken.

Tickers, books    the newest; what came before it is history nobody asked for
candles           the newest, and every confirmed one before it: a chart must not miss a close
trades            all, up to a bound; what does not fit is counted in ``dropped``, oldest first

The same rules hold at the source (how often a topic is published) and at each watcher.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from domain.market.tape import Candle, Trades
from domain.market.topics import Follow, Topic, TopicKind
from domain.market.updates import Update, topic_of

TRADES_MAX = 1000
CANDLES_MAX = 100


class Slot:
    """Values of one topic on their way to one taker."""

    def __init__(self) -> None:
        self._kept: list[Update] = []

    def __bool__(self) -> bool:
        return bool(self._kept)

    def put(self, update: Update) -> int:
        """Add a value; returns how many values it took the place of."""
        before = self._kept[-1] if self._kept else None
        if isinstance(update, Trades) and isinstance(before, Trades):
            self._kept[-1] = joined(before, update)
            return 0
        if isinstance(before, Candle) and before.confirmed:
            self._kept.append(update)
            surplus = len(self._kept) - CANDLES_MAX
            del self._kept[: max(0, surplus)]
            return max(0, surplus)
        self._kept[-1:] = [update]
        return int(before is not None)

    def take(self) -> Sequence[Update]:
        """All that is kept, oldest first; the slot is empty afterwards."""
        kept, self._kept = self._kept, []
        return kept

    def put_back(self, updates: Sequence[Update]) -> None:
        """Undo a ``take`` that led nowhere; what came meanwhile stays behind it."""
        newer, self._kept = self._kept, []
        for update in (*updates, *newer):
            self.put(update)


def joined(older: Trades, newer: Trades) -> Trades:
    """One value that tells both, the newest TRADES_MAX trades of them."""
    trades = (*older.trades, *newer.trades)
    surplus = max(0, len(trades) - TRADES_MAX)
    dropped = older.dropped + newer.dropped + surplus
    return replace(newer, trades=trades[surplus:], dropped=dropped)


def is_final(candle: Candle) -> bool:
    """Whether it must reach its taker: a chart never gets a second chance at a close."""
    return candle.confirmed


def trades_told(value: Trades) -> int:
    """How many trades a taker does not hear of who misses this value."""
    return len(value.trades) + value.dropped


@dataclass(frozen=True, slots=True)
class Publication:
    """A value, on its way to those who follow its topic at one rate."""

    follow: Follow
    update: Update


class Conflater:
    """Lets each topic through as often as its followers want: the source's side."""

    def __init__(self) -> None:
        self._lanes: dict[Follow, _Lane] = {}

    def follow(self, follows: Collection[Follow]) -> None:
        """Let exactly these through from now on."""
        wanted = set(follows)
        self._lanes = {f: lane for f, lane in self._lanes.items() if f in wanted}
        for follow in wanted - self._lanes.keys():
            self._lanes[follow] = _Lane()

    def put(self, updates: Sequence[Update]) -> None:
        """Take in what the venue said."""
        lanes = self._by_topic()
        for update in updates:
            for lane in lanes.get(topic_of(update), ()):
                lane.slot.put(update)

    def due(self, now: float) -> Sequence[Publication]:
        """What may go out at ``now`` (monotonic seconds)."""
        found: list[Publication] = []
        for follow, lane in self._lanes.items():
            if lane.slot and now >= lane.next_at:
                # A tenth early is on time: batches come every 100 ms and jitter.
                lane.next_at = now + _pause(follow) * 0.9
                found += (Publication(follow, update) for update in lane.slot.take())
        return found

    def put_back(self, publications: Sequence[Publication]) -> None:
        """Keep what could not be published for the next time."""
        by_follow: dict[Follow, list[Update]] = {}
        for publication in publications:
            by_follow.setdefault(publication.follow, []).append(publication.update)
        for follow, updates in by_follow.items():
            if lane := self._lanes.get(follow):
                lane.slot.put_back(updates)
                lane.next_at = 0.0

    def _by_topic(self) -> Mapping[Topic, Sequence["_Lane"]]:
        lanes: dict[Topic, list[_Lane]] = {}
        for follow, lane in self._lanes.items():
            lanes.setdefault(follow.topic, []).append(lane)
        return lanes


class _Lane:
    def __init__(self) -> None:
        self.slot = Slot()
        self.next_at = 0.0


def _pause(follow: Follow) -> float:
    # Trades and candles have one rate: nobody wants to hear of a trade late.
    if follow.topic.kind in (TopicKind.TRADES, TopicKind.CANDLES):
        return 0.0
    return 1 / follow.rate
