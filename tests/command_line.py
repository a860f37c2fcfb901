"""The operator's commands, as they are typed: ``python app.py WORDS``."""

import asyncio
import os
import sys

from tests.world import REPOSITORY, DatabaseUrls


def sandbox_environment(database_urls: DatabaseUrls, *, vault_keys: str) -> dict[str, str]:
    """What a command needs that has to do with accounts and their database, and nothing else."""
    return os.environ | {
        "OKD_ENVIRONMENT": "sandbox",
        "DATABASE_URL": database_urls.app,
        "REDIS_URL": "redis://127.0.0.1:1",
        "OKD_SECRET_KEY": "s" * 32,
        "OKD_BYBIT_ENVIRONMENT": "testnet",
        "OKD_VAULT_KEYS": vault_keys,
        "OKD_BLIND_INDEX_KEY": "i" * 32,
    }


async def typed(environment: dict[str, str], *words: str) -> tuple[int | None, str]:
    """The exit code, and all that was said."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "app.py", *words),
        cwd=REPOSITORY,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return process.returncode, said.decode()
