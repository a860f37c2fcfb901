"""The world the tests run in: real servers, started once per run, however many workers.

Nothing here is a fixture (those are in conftest.py); everything here may be imported.
"""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from adapters.postgres.migrations import migrate
from adapters.sandbox.servers import Servers, stopped
from tests.hearing import EARS
from tests.leaks import leaks

REPOSITORY = Path(__file__).resolve().parents[1]
SHARED_DATA = REPOSITORY.parent / "shared" / "data" / "bybit"

# Long enough for the next worker, too short to be waited for at the end of a run.
GRACE_SECONDS = 0.5
_TEMPLATE = "okd_template"


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, as the role that owns it and as the role that runs the product."""

    owner: str
    app: str


def make_data_dir() -> Path:
    """A directory for the servers, outside of pytest's private one.

    0711: as root the servers run as another user, who must be able to pass through.
    """
    data_dir = Path(tempfile.mkdtemp(prefix="okd-tests-"))
    data_dir.chmod(0o711)
    return data_dir


def remove_data_dir(data_dir: Path, *secrets: str) -> None:
    """Wait for the servers to stop, then leave no trace; its logs hold none of the secrets."""
    stopped(data_dir)
    EARS.find(list(leaks(data_dir, *secrets)))
    shutil.rmtree(data_dir, ignore_errors=True)


async def create_database(
    servers: Servers, name: str, *, template: str | None = None
) -> DatabaseUrls:
    """An empty database, or a copy of ``template``."""
    connection = await asyncpg.connect(servers.database_url_owner)
    try:
        source = f'TEMPLATE "{template}"' if template else ""
        await connection.execute(f'CREATE DATABASE "{name}" {source}')
        # As the sandbox and docs/operations.md do: what a test may, the product may.
        await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
        await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO okd_app')
    finally:
        await connection.close()
    return DatabaseUrls(
        _on_database(servers.database_url_owner, name), _on_database(servers.database_url, name)
    )


async def create_migrated_database(servers: Servers, name: str) -> DatabaseUrls:
    """A copy of a database that is migrated once per run: 50 ms instead of all migrations."""
    with _one_at_a_time(servers.data_dir / "template.lock"):
        if not await _exists(servers, _TEMPLATE):
            # Renamed when it is complete, so that a failed migration is not copied from.
            unfinished = await create_database(servers, f"{_TEMPLATE}_{os.getpid()}")
            await migrate(unfinished.owner)
            await _rename(servers, f"{_TEMPLATE}_{os.getpid()}", _TEMPLATE)
        return await create_database(servers, name, template=_TEMPLATE)


async def eventually(
    happened: Callable[[], bool | Awaitable[bool]], *, within_seconds: float = 15.0
) -> None:
    """Wait for something that nobody announces, such as the restart of a killed server."""
    async with asyncio.timeout(within_seconds):
        while True:
            answer = happened()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.01)


class Swallower:
    """A network between a client and a server's Unix socket that can lose every packet."""

    def __init__(self, upstream: Path) -> None:
        self._upstream = upstream
        self._pipes: set[asyncio.Task[None]] = set()
        self.port = 0
        self.swallowing = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Swallower"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for pipe in self._pipes:
                pipe.cancel()
            await asyncio.gather(*self._pipes, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(str(self._upstream))
        try:
            async with asyncio.TaskGroup() as pipes:
                for source, sink in ((reader, back), (there, writer)):
                    pipe = pipes.create_task(self._pipe(source, sink))
                    self._pipes.add(pipe)
        finally:
            writer.close()
            back.close()

    async def _pipe(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if not self.swallowing:
                sink.write(data)
        sink.close()


def _on_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _exists(servers: Servers, name: str) -> bool:
    connection = await asyncpg.connect(servers.database_url_owner)
    try:
        query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)"
        return bool(await connection.fetchval(query, name))
    finally:
        await connection.close()


async def _rename(servers: Servers, old: str, new: str) -> None:
    connection = await asyncpg.connect(servers.database_url_owner)
    try:
        await connection.execute(f'ALTER DATABASE "{old}" RENAME TO "{new}"')
    finally:
        await connection.close()


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    # Blocks the loop on purpose: a worker that sets up has nothing else to do.
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
