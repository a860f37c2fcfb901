"""One pool of connections per process, and the only two ways to use it.

``read()`` and ``unit_of_work()`` are short and belong to one task each: GraphQL fields run
concurrently, so a session is never handed from one field to another.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.afterwards import Afterwards
from adapters.postgres.failures import (
    RETRY_AFTER_SECONDS,
    VENDOR_ERRORS,
    WHAT,
    is_lost,
    translated,
)
from adapters.postgres.statements import DirectWork, asked_afterwards
from adapters.resilience import deadline
from domain.kernel.failures import Failure, Unavailable

# The server gives up first, so that a slow statement costs its result and not its connection.
_STATEMENT_SHARE = 0.8
# Waiting behind somebody's lock or for a free connection leaves time for the work itself.
_WAIT_SHARE = 0.5
# SQLAlchemy gives an orderly goodbye two seconds on top of the deadline that has just passed.
_GOODBYE_SECONDS = 0.2
# Connections are renewed every half an hour: after a failover all of them drift to the new server.
_RECYCLE_SECONDS = 1800
# Idle for longer, a connection is asked whether it lives before it is handed out.
_TRUSTED_SECONDS = 5.0
_RETURNED_AT = "okd_returned_at"


class Database:
    """The door to PostgreSQL. Survives restarts of the server without a manual step."""

    def __init__(
        self, url: str, *, role: str, pool_size: int = 8, timeout_seconds: float = 5.0
    ) -> None:
        """``url`` as libpq reads it, Unix sockets and ``sslmode`` included.

        ``role`` names the kind of process (web, feed, worker) in ``pg_stat_activity``.
        """
        self._timeout_seconds = timeout_seconds
        # First come, first served. The pool gives a connection to whoever asks in the moment it
        # comes back, and under load those who have been waiting starve.
        self._turns = asyncio.Semaphore(pool_size)
        self._engine = _engine(url, role=role, pool_size=pool_size, timeout_seconds=timeout_seconds)
        self._afterwards = Afterwards(self._run)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A short session that cannot write. Raises Unavailable, TimedOut."""
        async with (
            deadline(WHAT, self._timeout_seconds),
            self._session(postgresql_readonly=True) as session,
        ):
            yield session

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises Unavailable, TimedOut, Conflict. After TimedOut, or Unavailable out of the commit
        itself, the outcome is unknown: commands carry idempotency keys for that.
        """
        async with (
            deadline(WHAT, self._timeout_seconds),
            self._session() as session,
        ):
            yield session
            await session.commit()
            self._afterwards.want(asked_afterwards(session))

    @asynccontextmanager
    async def direct_work(self) -> AsyncIterator[DirectWork]:
        """The same without a session: for the few commands that are very many."""
        async with deadline(WHAT, self._timeout_seconds), self._driver() as driver:
            work = DirectWork(driver)
            await driver.execute("BEGIN")
            try:
                yield work
            except Exception as error:
                if not is_lost(error):
                    await driver.execute("ROLLBACK")
                raise
            # Cancelled, it is neither: the connection is dropped, as everywhere.
            if await driver.execute("COMMIT") != "COMMIT":
                raise RuntimeError("a work that failed was left as if it were done")
            self._afterwards.want(asked_afterwards(work))

    @asynccontextmanager
    async def one_call(self) -> AsyncIterator[DirectWork]:
        """For a single statement that is all there is to do: PostgreSQL makes it a transaction."""
        async with deadline(WHAT, self._timeout_seconds), self._driver() as driver:
            work = DirectWork(driver)
            yield work
        self._afterwards.want(asked_afterwards(work))

    async def ping(self) -> None:
        """One round trip. Raises Unavailable, TimedOut."""
        async with deadline(WHAT, self._timeout_seconds), self._connection() as connection:
            await connection.execute(text("SELECT 1"))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._afterwards.aclose()
        await self._engine.dispose()

    @asynccontextmanager
    async def _session(self, **execution_options: Any) -> AsyncIterator[AsyncSession]:  # noqa: ANN401  # SQLAlchemy's own words
        async with self._connection() as connection:
            await connection.execution_options(**execution_options)
            # Objects stay readable after the commit: nothing is loaded lazily anyway.
            async with AsyncSession(connection, expire_on_commit=False) as session:
                yield session

    @asynccontextmanager
    async def _driver(self) -> AsyncIterator[asyncpg.Connection]:
        """The driver of a pooled connection; nothing of SQLAlchemy's is between it and the pool."""
        with translated():
            async with self._turn():
                pooled = await self._engine.raw_connection()
                driver: asyncpg.Connection = pooled.driver_connection
                try:
                    yield driver
                except BaseException as error:
                    # As for sessions: what is lost, or left in the middle, is dropped at once.
                    lost = not isinstance(error, Exception) or is_lost(error)
                    if lost or driver.is_in_transaction():
                        driver.terminate()
                        pooled.invalidate()
                    raise
                finally:
                    pooled.close()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of the pool's connections is free. Raises Unavailable."""
        try:
            async with asyncio.timeout(self._timeout_seconds * _WAIT_SHARE):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Unavailable(WHAT, retry_after_seconds=RETRY_AFTER_SECONDS) from error
        try:
            yield
        finally:
            self._turns.release()

    async def _run(self, statement: str) -> None:
        """What a commit asked for; its work is done and stays done, whatever becomes of this."""
        with suppress(Failure, *VENDOR_ERRORS):
            async with deadline(WHAT, self._timeout_seconds), self._driver() as driver:
                await driver.execute(statement)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._turn(), self._engine.connect() as connection:
                try:
                    yield connection
                except Exception as error:
                    # What the driver alone has met, SQLAlchemy does not know of.
                    if is_lost(error):
                        await _drop(connection)
                    raise
                except BaseException:
                    # Cancelled, usually by the deadline. An orderly goodbye over a network that
                    # swallows packets would wait for ever, so the socket is dropped instead.
                    await _drop(connection)
                    raise


class _BriefConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # asyncpg's signature
        await super().close(timeout=min(timeout or _GOODBYE_SECONDS, _GOODBYE_SECONDS))


async def _drop(connection: AsyncConnection) -> None:
    if connection.closed or connection.invalidated:
        return
    raw = await connection.get_raw_connection()
    driver: asyncpg.Connection = raw.driver_connection
    driver.terminate()
    await connection.invalidate()


def _engine(url: str, *, role: str, pool_size: int, timeout_seconds: float) -> AsyncEngine:
    milliseconds = timeout_seconds * 1000
    server_settings = {
        "application_name": f"okd-{role}",
        "timezone": "UTC",
        "statement_timeout": str(int(milliseconds * _STATEMENT_SHARE)),
        "lock_timeout": str(int(milliseconds * _WAIT_SHARE)),
        "idle_in_transaction_session_timeout": str(int(milliseconds * 2)),
    }

    async def connect(*_: Any, **__: Any) -> asyncpg.Connection:  # noqa: ANN401  # SQLAlchemy passes what its own URL holds: nothing
        # asyncpg reads the address itself: SQLAlchemy's URL knows neither sslmode nor ?host=DIR.
        return await asyncpg.connect(
            url,
            timeout=timeout_seconds,
            server_settings=server_settings,
            connection_class=_BriefConnection,
        )

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_seconds * _WAIT_SHARE,
        pool_recycle=_RECYCLE_SECONDS,
        json_deserializer=orjson.loads,
    )
    _hand_out_living(engine)
    return engine


def _hand_out_living(engine: AsyncEngine) -> None:
    """A restarted server is met with fresh connections, and who is busy does not pay for that.

    SQLAlchemy's own pre-ping is three round trips before every session. A connection that was used
    a moment ago needs none: the loop has heard of its end. What lay idle is asked, because a
    network in between forgets connections without a word.
    """

    @event.listens_for(engine.sync_engine, "checkin")
    def remember(_connection: Any, record: ConnectionPoolEntry) -> None:  # noqa: ANN401  # SQLAlchemy's word for any driver's
        record.info[_RETURNED_AT] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def look(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:  # noqa: ANN401  # as above
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError
        returned_at = record.info.get(_RETURNED_AT)
        if returned_at is None or time.monotonic() - returned_at < _TRUSTED_SECONDS:
            return
        try:
            connection.ping()
        except (engine.dialect.loaded_dbapi.Error, OSError) as error:
            raise InvalidatePoolError from error
