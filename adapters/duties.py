"""Duties of a process that come round: done again and again, and again sooner when they failed."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from domain.kernel.failures import Failure

RETRY_SECONDS = 5.0

log = structlog.get_logger()

Duty = Callable[[], Coroutine[Any, Any, None]]


def every(seconds: float, name: str, act: Callable[[], Awaitable[object]]) -> Duty:
    """``act`` at once, then every so often; what the world breaks is tried again soon."""

    async def run() -> None:
        while True:
            done = await _done(name, act)
            await asyncio.sleep(seconds if done else min(seconds, RETRY_SECONDS))

    return run


def once(name: str, act: Callable[[], Awaitable[object]]) -> Duty:
    """``act`` until it was done."""

    async def run() -> None:
        done = await _done(name, act)
        while not done:
            await asyncio.sleep(RETRY_SECONDS)
            done = await _done(name, act)

    return run


async def _done(name: str, act: Callable[[], Awaitable[object]]) -> bool:
    try:
        await act()
    except Failure as failure:
        log.warning("duty_failed", duty=name, code=failure.code, what=failure.what)
        return False
    return True
