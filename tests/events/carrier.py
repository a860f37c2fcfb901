"""A process of its own that carries events to Redis until it is killed: run by the tests.

python -m tests.events.carrier DATABASE_URL REDIS_URL PREFIX
"""

import asyncio
import sys

import structlog

from adapters.clock import SystemClock
from adapters.postgres import Database, PostgresOutbox
from adapters.redis import RedisClient, RedisEventSignaller
from domain.events import Relay


async def carry(database_url: str, redis_url: str, prefix: str) -> None:
    database = Database(database_url, role="test", pool_size=2)
    client = RedisClient(redis_url, prefix=prefix)
    outbox = PostgresOutbox(database, database_url, clock=SystemClock())
    async with asyncio.TaskGroup() as duties:
        duties.create_task(outbox.run())
        duties.create_task(Relay(outbox, RedisEventSignaller(client)).run())
        sys.stdout.write("carrying\n")
        sys.stdout.flush()


if __name__ == "__main__":
    # Nobody reads what it says after its first word: a full pipe would stop it.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(carry(*sys.argv[1:4]))
