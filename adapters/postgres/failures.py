"""What PostgreSQL, asyncpg and SQLAlchemy raise, in the domain's words.

SQLSTATE (PostgreSQL manual, appendix A)                    failure
+-- 40001, 40P01 serialization, deadlock; 55P03 lock        Conflict
+-- 57014 query canceled (statement_timeout), 25P03, 25P04  TimedOut
+-- 08xxx connection; 53xxx resources, too many clients;
|   57P01-57P05 shutting down or starting up                Unavailable
+-- 28xxx not let in; 3D000 no such database                Unavailable, and an error in the log:
                                                            only an operator can end it
without one
+-- OSError, a closed connection, an exhausted pool         Unavailable
+-- TimeoutError                                            TimedOut

Everything else is a bug of ours and flies on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
import structlog
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from domain.kernel.failures import Conflict, Failure, TimedOut, Unavailable

log = structlog.get_logger()

WHAT = "database"
RETRY_AFTER_SECONDS = 1.0

_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
_TIMEOUTS = frozenset({"57014", "25P03", "25P04"})
_GONE_CLASSES = ("08", "53", "57P")
_REFUSED = ("28", "3D000")


VENDOR_ERRORS = (
    DBAPIError,
    # The same without SQLAlchemy's wrapping, out of its pool.
    AsyncAdapt_asyncpg_dbapi.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A server that is killed says goodbye to idle connections, and asyncpg, which was not asking
    # anything, answers the next question with "another operation is in progress".
    asyncpg.InternalClientError,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raise the block's vendor exceptions as Unavailable, TimedOut or Conflict.

    Put it inside of ``deadline``: a TimeoutError is left for that to translate.
    """
    try:
        yield
    except VENDOR_ERRORS as error:
        failure = _failure_of(error)
        if failure is None:
            raise
        raise failure from error
    except PoolTimeoutError as error:  # every connection is busy: nothing was done
        raise Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS) from error
    except TimeoutError:  # an OSError too, since Python 3.11
        raise
    except OSError as error:
        raise Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS) from error


def is_lost(error: Exception) -> bool:
    """Whether the connection it came out of is of no more use."""
    return isinstance(error, VENDOR_ERRORS) and isinstance(_failure_of(error), Unavailable)


def _failure_of(error: Exception) -> Failure | None:
    state = _sqlstate(error)
    if state in _CONFLICTS:
        return Conflict(WHAT)
    if state in _TIMEOUTS:
        return TimedOut(WHAT)
    if state is not None and state.startswith(_REFUSED):
        log.error("database_refused", sqlstate=state)
        return Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS)
    if (state is not None and state.startswith(_GONE_CLASSES)) or _connection_lost(error):
        return Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS)
    return None


def _sqlstate(error: BaseException) -> str | None:
    for link in _chain(error):
        state = getattr(link, "sqlstate", None)
        if isinstance(state, str):
            return state
    return None


def _connection_lost(error: Exception) -> bool:
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    # asyncpg says InterfaceError("connection is closed") without a state of its own, yet uses the
    # same class for wrong arguments: the difference is in the text alone.
    return any(
        isinstance(link, OSError | asyncpg.InternalClientError)
        or (isinstance(link, asyncpg.InterfaceError) and "clos" in str(link))
        for link in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it wraps, outermost first."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = getattr(link, "orig", None) or link.__cause__
