"""An outer deadline: the client library's own timeouts are not to be trusted.

redis-py hangs past its socket_timeout when packets vanish (facts/hardening.md, 6).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from domain.kernel.failures import TimedOut


@asynccontextmanager
async def deadline(what: str, seconds: float) -> AsyncIterator[None]:
    """Cancel the block after ``seconds`` and raise TimedOut(``what``).

    A TimeoutError that the block raises by itself means the same and is translated too.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TimedOut(what) from error
