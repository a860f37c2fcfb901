"""The replayed market: a recorded session in a loop, in its own rhythm.

Prices and sizes are the recording's strings, untouched. Stamps move to the present, `cs`, `u` and
`seq` move on with every round so that they only grow, and the next funding is the coming one. Each
round begins with the recorded snapshots, which reset whoever listens.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from adapters.sandbox.exchange.frames import BOOK_REPEAT_MS, Best, best_frame, ticker_frame
from adapters.sandbox.exchange.instruments import INSTRUMENTS, Category, Instrument
from adapters.sandbox.exchange.recording import (
    BestEvent,
    Event,
    Recording,
    RecordingError,
    TickerEvent,
)
from adapters.sandbox.exchange.tickers import linear_row, next_funding_ms, spot_row
from adapters.sandbox.exchange.venue import Feed, NotPossible, Topic
from adapters.sandbox.exchange.wire import epoch_ms
from domain.kernel.clock import Clock

NO_QUOTE = ("", "")
QUIET_CHECK_SECONDS = 0.5
# Stamps keep the distances of the recording until the clock leaps by more than this.
LEAP_MS = 2_000


@dataclass(slots=True)
class _Shown:
    """What a topic shows now, and how far its numbers move on with each round."""

    stride: int = 0
    update_stride: int = 0
    data: dict[str, str] = field(default_factory=dict)
    best: Best | None = None
    sequence: int = 0
    sent_ms: int = 0


class ReplayMarket:
    """Offers the instruments the recording has tickers of, and nothing else."""

    mode = "replay"

    def __init__(self, recording: Recording, clock: Clock) -> None:
        self._recording = recording
        self._clock = clock
        self._shift_ms = epoch_ms(clock) - recording.started_ms
        self._round = 0
        self._shown: dict[Topic, _Shown] = {}
        for event in recording.events:
            self._measure(event)
        for event in reversed(recording.events):
            # In reverse, so that each topic ends up at its first snapshot: complete before the
            # first frame plays.
            if isinstance(event, BestEvent) or event.kind == "snapshot":
                self._merge(event)
        tickers = [topic for topic in self._shown if topic.name.startswith("tickers.")]
        self._instruments = _instruments({(t.category, t.name.partition(".")[2]) for t in tickers})
        offered = {(i.category, i.symbol) for i in self._instruments}
        for topic in [*self._shown]:
            if (topic.category, topic.name.rpartition(".")[2]) not in offered:
                del self._shown[topic]

    def instruments(self, category: Category) -> Sequence[Instrument]:
        return [instrument for instrument in self._instruments if instrument.category is category]

    def ticker_row(self, instrument: Instrument) -> dict[str, str]:
        data = self._data(Topic.tickers(instrument.category, instrument.symbol))
        if instrument.category is Category.LINEAR:
            return linear_row(data)
        shown = self._shown.get(Topic.best(instrument.category, instrument.symbol))
        best = shown.best if shown else None
        return spot_row(data, best.bid if best else NO_QUOTE, best.ask if best else NO_QUOTE)

    def offers(self, topic: Topic) -> bool:
        return topic in self._shown

    def snapshot(self, topic: Topic) -> str:
        shown, now = self._shown[topic], epoch_ms(self._clock)
        if shown.best is not None:
            return best_frame(topic, shown.best, ts=now, matched_ts=now)
        data = self._data(topic)
        return ticker_frame(topic, data, kind="snapshot", sequence=shown.sequence, ts=now)

    def shock(self, instrument: Instrument, percent: Decimal, feed: Feed) -> None:
        del percent, feed
        raise NotPossible(f"{instrument.symbol} is replayed: its prices are the recording's")

    async def run(self, feed: Feed) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            self._shift_ms = epoch_ms(self._clock) - self._recording.started_ms
            for event in self._recording.events:
                due = began + (event.at_ms - self._recording.started_ms) / 1000
                while (wait := due - loop.time()) > 0:
                    await asyncio.sleep(min(wait, QUIET_CHECK_SECONDS))
                    self._repeat_quiet(feed)
                self.play(event, feed)
            await asyncio.sleep(max(0, began + self._recording.duration_ms / 1000 - loop.time()))
            self._round += 1

    def play(self, event: Event, feed: Feed) -> None:
        """Show one recorded frame as of now."""
        shown = self._shown.get(event.topic)
        if shown is None:
            return
        self._merge(event)
        shown.sent_ms = now = epoch_ms(self._clock)
        if abs(now - event.at_ms - self._shift_ms) > LEAP_MS:
            self._shift_ms = now - event.at_ms
        ts = event.ts + self._shift_ms
        if not feed.wants(event.topic):
            return
        if isinstance(event, BestEvent):
            matched = event.matched_ts + self._shift_ms
            frame = best_frame(event.topic, shown.best or event.best, ts=ts, matched_ts=matched)
        else:
            data = self._stamped(event.topic, event.data)
            frame = ticker_frame(event.topic, data, kind=event.kind, sequence=shown.sequence, ts=ts)
        feed.publish(event.topic, frame)

    def _merge(self, event: Event) -> None:
        shown = self._shown[event.topic]
        if isinstance(event, BestEvent):
            best = event.best
            shown.best = best._replace(
                update_id=best.update_id + self._round * shown.update_stride,
                sequence=best.sequence + self._round * shown.stride,
            )
            return
        shown.sequence = event.sequence + self._round * shown.stride
        shown.data = event.data if event.kind == "snapshot" else shown.data | event.data

    def _measure(self, event: Event) -> None:
        shown = self._shown.setdefault(event.topic, _Shown())
        first = next(other for other in self._recording.events if other.topic == event.topic)
        if isinstance(event, BestEvent) and isinstance(first, BestEvent):
            shown.stride = event.best.sequence - first.best.sequence + 1
            shown.update_stride = event.best.update_id - first.best.update_id + 1
        elif isinstance(event, TickerEvent) and isinstance(first, TickerEvent):
            shown.stride = event.sequence - first.sequence + 1

    def _data(self, topic: Topic) -> dict[str, str]:
        return self._stamped(topic, self._shown[topic].data)

    def _stamped(self, topic: Topic, data: dict[str, str]) -> dict[str, str]:
        if "nextFundingTime" not in data:
            return data
        hours = int(self._shown[topic].data.get("fundingIntervalHour", "8"))
        return data | {"nextFundingTime": str(next_funding_ms(epoch_ms(self._clock), hours))}

    def _repeat_quiet(self, feed: Feed) -> None:
        now = epoch_ms(self._clock)
        for topic, shown in self._shown.items():
            if shown.best is not None and now - shown.sent_ms >= BOOK_REPEAT_MS:
                shown.sent_ms = now
                if feed.wants(topic):
                    feed.publish(topic, self.snapshot(topic))


def _instruments(offered: set[tuple[Category, str]]) -> list[Instrument]:
    known = {(instrument.category, instrument.symbol) for instrument in INSTRUMENTS}
    strangers = sorted(f"{category} {symbol}" for category, symbol in offered - known)
    if strangers:
        raise RecordingError(
            f"the recording has tickers of {', '.join(strangers)}, whose tick and lot sizes are"
            " unknown here: add them to adapters/sandbox/exchange/instruments.py"
        )
    return [i for i in INSTRUMENTS if (i.category, i.symbol) in offered]
