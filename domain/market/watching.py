"""Small tools for streams of updates."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TypeVar

from domain.market.updates import Update

U = TypeVar("U", bound=Update)


async def only(
    kind: type[U], updates: AsyncGenerator[Update, None] | AsyncGenerator[U, None]
) -> AsyncGenerator[U, None]:
    """The updates of a topic that is known to carry one kind."""
    async with aclosing(updates):
        async for update in updates:
            if isinstance(update, kind):
                yield update


async def merged(streams: Sequence[AsyncGenerator[U, None]]) -> AsyncGenerator[U, None]:
    """The values of all streams as they come, each stream's own in order; closes them all.

    Nobody waits in a queue: a stream is asked for its next value only after its last was taken,
    so that what a slow reader misses is decided where the stream keeps it.
    """
    waiting = {asyncio.ensure_future(anext(stream)): stream for stream in streams}
    try:
        while waiting:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                stream = waiting.pop(future)
                try:
                    value = future.result()
                except StopAsyncIteration:
                    continue
                yield value
                waiting[asyncio.ensure_future(anext(stream))] = stream
    finally:
        for future in waiting:
            future.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for stream in streams:
            await stream.aclose()
