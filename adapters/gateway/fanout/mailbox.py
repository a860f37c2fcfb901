"""The sink of a transport that asks for its values one after another: SSE, a test, a webhook."""

import asyncio
from collections.abc import AsyncGenerator, Callable

from adapters.gateway.fanout.lanes import keeper_for
from adapters.gateway.fanout.sink import Encoded, FormattedErrors
from domain.kernel.policy import Delivery


class Overflown(Exception):
    """Values that must not be dropped came faster than they were taken: resume from a cursor."""


class Mailbox:
    """Keeps values by the field's delivery until they are asked for. One reader."""

    def __init__(
        self, delivery: Delivery, on_surpassed: Callable[[int], None] | None = None
    ) -> None:
        self.errors: FormattedErrors | None = None
        """After ``values`` ended: why the streams could not go on, if they could not."""
        self._keeper = keeper_for(delivery)
        self._on_surpassed = on_surpassed
        self._filled = asyncio.Event()
        self._ended = False
        self._overflown = False

    def offer(self, value: Encoded) -> None:
        if self._ended or self._overflown:
            return
        self._keeper.put(value)
        if self._keeper.overflown:
            self._overflown = True
            self._keeper.take()
        self._filled.set()

    def end(self, errors: FormattedErrors | None) -> None:
        self._ended = True
        self.errors = errors
        self._filled.set()

    async def values(self) -> AsyncGenerator[Encoded, None]:
        """What is offered, conflated while the reader is busy. Raises Overflown."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            if self._overflown:
                raise Overflown
            for value in self._keeper.take():
                yield value
            if self._keeper.surpassed and self._on_surpassed is not None:
                self._on_surpassed(self._keeper.surpassed)
                self._keeper.surpassed = 0
            if self._ended and not self._keeper.size:
                return
