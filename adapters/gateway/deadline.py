"""The longest an operation may run. After it the operation is cancelled, not abandoned.

``asyncio.timeout`` cancels the task that executes; graphql-core passes that on to every resolver
that is under way. A resolver that computes without awaiting cannot be stopped, and a batch that a
loader has sent off already ends by the timeout of what it asks.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from strawberry.extensions import SchemaExtension


class OperationTimeout(Exception):
    """The operation's time was up. ``errors.judge`` makes OPERATION_TIMEOUT of it."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    @property
    def message(self) -> str:
        """One sentence a client may read."""
        return (
            f"The operation took longer than {self.seconds:g} seconds and was cancelled. "
            "A mutation may have taken effect: read before you repeat it."
        )


@asynccontextmanager
async def deadline(seconds: float) -> AsyncIterator[None]:
    """Cancel what runs inside after ``seconds`` and raise OperationTimeout in its place.

    A cancellation from outside (the client left) and a TimeoutError of the work's own pass
    through as they are.
    """
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        raise OperationTimeout(seconds) from None


def deadline_extension(seconds: float) -> type[SchemaExtension]:
    """Bound every execution, whichever transport asks.

    Of a query or mutation the whole execution counts, of a subscription the way to its stream: the
    stream itself lives as long as the client likes.
    """

    class OperationDeadline(SchemaExtension):
        async def on_execute(self) -> AsyncIterator[None]:
            async with deadline(seconds):
                yield

    return OperationDeadline
