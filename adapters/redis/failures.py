"""What Redis and redis-py raise, in the domain's words.

Vendor                                                      failure
+-- connection refused, reset, closed; loading its data;
|   read-only or failing over; out of memory or clients     Unavailable
+-- no answer in time                                       TimedOut

Everything else is a bug of ours and flies on.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from redis.exceptions import (
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from adapters.resilience import deadline
from domain.kernel.failures import TimedOut, Unavailable

WHAT = "cache"
RETRY_AFTER_SECONDS = 1.0

_UNAVAILABLE = (
    RedisConnectionError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    TryAgainError,
    OSError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the block's vendor exceptions as Unavailable or TimedOut."""
    try:
        yield
    except TimeoutError:  # an OSError too: left for the deadline around us to translate
        raise
    except RedisTimeoutError as error:
        raise TimedOut(WHAT) from error
    except _UNAVAILABLE as error:
        raise Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS) from error


@asynccontextmanager
async def guarded(seconds: float) -> AsyncIterator[None]:
    """Run a block of Redis calls within ``seconds``. Raises Unavailable, TimedOut.

    The deadline is an outer one: redis-py hangs past its socket_timeout when packets vanish.
    """
    async with deadline(WHAT, seconds):
        with translated():
            yield
