"""The feed of one category: follow the venue while leading, publish changes, step down cleanly.

Many feed processes may run; per category one leads, the others wait for its lease to end. What a
deposed leader still has in hand is refused by its smaller epoch, so that prices never run back.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure
from domain.kernel.ids import Category, InstrumentId
from domain.market.alerts import AlertEngine, AlertFired
from domain.market.conflation import Conflater
from domain.market.model import FeedReport, FeedState, Ticker
from domain.market.ports import (
    FeedPublisher,
    Lease,
    LeaseLost,
    Leases,
    VenueStream,
    VenueStreams,
)
from domain.market.topics import Follow, ticker_topic
from domain.market.updates import Update

ACQUIRE_EVERY_SECONDS = 0.5
RENEW_EVERY_SECONDS = 1.0
WANTED_EVERY_SECONDS = 0.5


class CategoryFeed:
    """Leads, or waits to lead, one category. ``run`` ends only by cancellation."""

    def __init__(
        self,
        category: Category,
        *,
        leases: Leases,
        streams: VenueStreams,
        publisher: FeedPublisher,
        clock: Clock,
        always_on: Collection[Follow],
        alerts: AlertEngine | None = None,
        on_fired: Callable[[AlertFired], None] | None = None,
    ) -> None:
        self._category = category
        self._leases = leases
        self._streams = streams
        self._publisher = publisher
        self._clock = clock
        self._always_on = frozenset(always_on)
        self._alerts = alerts or AlertEngine()
        self._on_fired = on_fired
        self._conflater = Conflater()
        self._report: FeedReport | None = None

    @property
    def report(self) -> FeedReport | None:
        """What was last published as leader; None while another process leads."""
        return self._report

    async def run(self) -> None:
        """Wait for the lease, lead until it is lost, and again."""
        while True:
            try:
                lease = await self._leases.try_acquire(f"feed.{self._category}")
                if lease is not None:
                    await self._lead(lease)
            except Failure:
                pass  # counted where it was raised; the pause below is the remedy
            await asyncio.sleep(ACQUIRE_EVERY_SECONDS)

    async def _lead(self, lease: Lease) -> None:
        try:
            async with self._streams.open(self._category) as stream:
                self._follow(stream, self._always_on)
                await self._until_deposed(lease, stream)
        finally:
            self._report = None
            # Let go at once on a clean stop, so that a standby leads within half a second.
            await lease.release()

    async def _until_deposed(self, lease: Lease, stream: VenueStream) -> None:
        # Being deposed is a return, not an exception: a TaskGroup of Python 3.11 that is cancelled
        # while one of its tasks raises forgets the cancellation.
        async with asyncio.TaskGroup() as duties:
            ending = (
                duties.create_task(self._keep(lease)),
                duties.create_task(self._publish(lease, stream)),
            )
            following = duties.create_task(self._follow_wanted(stream))
            await asyncio.wait(ending, return_when=asyncio.FIRST_COMPLETED)
            for duty in (*ending, following):
                duty.cancel()

    async def _keep(self, lease: Lease) -> None:
        """Renew until the lease is lost."""
        while True:
            await asyncio.sleep(RENEW_EVERY_SECONDS)
            try:
                await lease.renew()
            except LeaseLost:
                return
            except Failure:
                # The store is away, not the lease: nobody else can lead either. Every publish
                # checks the epoch, so going on is safe.
                continue

    async def _follow_wanted(self, stream: VenueStream) -> None:
        while True:
            try:
                wanted = await self._publisher.wanted(self._category)
            except Failure:
                pass  # keep following what was wanted last
            else:
                self._follow(stream, self._always_on | wanted)
            await asyncio.sleep(WANTED_EVERY_SECONDS)

    def _follow(self, stream: VenueStream, follows: frozenset[Follow]) -> None:
        self._conflater.follow(follows)
        # Alerts are watchers, too: their prices have to come, though nobody is shown them.
        watched = {ticker_topic(i) for i in self._alerts.instruments if self._is_ours(i)}
        stream.want({follow.topic for follow in follows} | watched)

    def _is_ours(self, instrument: InstrumentId) -> bool:
        return instrument.category is self._category

    def _judge_alerts(self, updates: Sequence[Update]) -> None:
        for update in updates:
            if not isinstance(update, Ticker):
                continue
            for fired in self._alerts.hear(update):
                if self._on_fired is not None:
                    self._on_fired(fired)

    async def _publish(self, lease: Lease, stream: VenueStream) -> None:
        """Publish until a newer leader has."""
        async for batch in stream.batches():
            # Before conflation: a line crossed for a moment is crossed.
            self._judge_alerts(batch.updates)
            self._conflater.put(batch.updates)
            due = self._conflater.due(self._clock.monotonic())
            self._report = self._reported(batch.state, lease.epoch)
            try:
                await self._publisher.publish(self._report, due)
            except LeaseLost:
                return
            except Failure:
                self._conflater.put_back(due)

    def _reported(self, state: FeedState, epoch: int) -> FeedReport:
        before = self._report
        if before is not None and before.state is state:
            return before
        return FeedReport(self._category, state, self._clock.now(), epoch)
