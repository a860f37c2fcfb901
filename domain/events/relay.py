"""Carrying committed events to their consumers: at least once, each consumer at its own pace."""

import asyncio
import random
from collections.abc import Sequence

from domain.events.ports import Consumer, Delivery, Outbox
from domain.kernel.failures import Failure

BATCH = 200
LOOK_EVERY_SECONDS = 1.0
RETRY_SECONDS_MIN = 0.2
RETRY_SECONDS_MAX = 300.0
_PAUSE_SECONDS = 0.5


class Relay:
    """One consumer's deliveries. Any number of processes may run it side by side."""

    def __init__(self, outbox: Outbox, consumer: Consumer) -> None:
        self._outbox = outbox
        self._consumer = consumer

    async def run(self) -> None:
        """Carry for ever; ends only by cancellation."""
        while True:
            try:
                carried = await self.carry()
            except Failure:  # the database is away; what was claimed comes again
                await asyncio.sleep(_PAUSE_SECONDS * random.uniform(0.5, 1))  # noqa: S311  # jitter
                continue
            if carried < BATCH:
                await self._outbox.wait(self._consumer.name, LOOK_EVERY_SECONDS)

    async def carry(self) -> int:
        """Carry what is due, at most a batch; returns how many were claimed.

        Raises Unavailable, TimedOut when the outbox does.
        """
        deliveries = await self._outbox.claim(self._consumer.name, limit=BATCH)
        if not deliveries:
            return 0
        try:
            await self._consumer.consume([delivery.event for delivery in deliveries])
        except Exception:  # noqa: BLE001  # found out below, one by one, and logged by the outbox
            await self._one_by_one(deliveries)
        else:
            await self._outbox.confirm(self._consumer.name, deliveries)
        return len(deliveries)

    async def _one_by_one(self, deliveries: Sequence[Delivery]) -> None:
        """One event that cannot be taken in must not hold up the others."""
        for delivery in deliveries:
            try:
                await self._consumer.consume([delivery.event])
            except Exception as why:  # noqa: BLE001  # a bug met by one event is not the end of all
                seconds = pause(delivery.attempt)
                await self._outbox.postpone(self._consumer.name, delivery, seconds, why=why)
            else:
                await self._outbox.confirm(self._consumer.name, [delivery])


def pause(attempt: int) -> float:
    """How long to wait after so many attempts: doubling to five minutes, with jitter."""
    longest = min(RETRY_SECONDS_MAX, RETRY_SECONDS_MIN * 2.0 ** min(attempt - 1, 20))
    return longest * random.uniform(0.5, 1)  # noqa: S311  # jitter
