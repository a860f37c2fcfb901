"""A user of the servers: writes to both without end and prints each number that was acknowledged.

Run as a process of its own, so that it can be killed. It brings a killed keeper back, as the
supervisor of the product does.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import asyncpg
import redis.asyncio
from redis.exceptions import RedisError

from adapters.sandbox.servers import Servers, ensure

_BROKEN = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # "cannot switch to state 12; another operation (2) is in progress": what asyncpg 0.32 makes of
    # a server that dies between the preparation and the execution of a statement (seen).
    asyncpg.InternalClientError,
    RedisError,
)


class Numbers:
    def __init__(self) -> None:
        self.last = 0

    def take(self) -> int:
        self.last += 1
        return self.last


async def write_rows(servers: Servers, numbers: Numbers) -> None:
    connection = await asyncpg.connect(servers.database_url_owner, timeout=5)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS written (number bigint)")
        while True:
            number = numbers.take()
            await connection.execute("INSERT INTO written VALUES ($1)", number, timeout=5)
            sys.stdout.write(f"row {number}\n")
            sys.stdout.flush()
            await asyncio.sleep(0)
    finally:
        connection.terminate()


async def write_keys(servers: Servers, numbers: Numbers) -> None:
    async with redis.asyncio.from_url(servers.redis_url, socket_timeout=5) as client:
        while True:
            number = numbers.take()
            await client.sadd("written", str(number))
            sys.stdout.write(f"key {number}\n")
            sys.stdout.flush()
            await asyncio.sleep(0)


async def persistently(
    write: Callable[[Servers, Numbers], Awaitable[None]], servers: Servers
) -> None:
    numbers = Numbers()
    while True:
        try:
            await write(servers, numbers)
        except _BROKEN:
            await asyncio.to_thread(servers.revive)
            await asyncio.sleep(0.02)


async def main(data_dir: Path) -> None:
    with ensure(data_dir, grace_seconds=0.2) as servers:
        await asyncio.gather(persistently(write_rows, servers), persistently(write_keys, servers))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
