"""Going away politely: say no to new traffic by readiness first, and stop only then."""

import asyncio
import contextlib


class Drain:
    """The process's way out. ``begin`` on the first signal, again (or ``hurry``) on the second."""

    def __init__(self) -> None:
        self._begun = asyncio.Event()
        self._hurried = asyncio.Event()
        self._over = asyncio.Event()

    @property
    def draining(self) -> bool:
        return self._begun.is_set()

    @property
    def hurried(self) -> bool:
        return self._hurried.is_set()

    def begin(self) -> None:
        """Start to drain; while draining already, hurry."""
        if self._begun.is_set():
            self._hurried.set()
        self._begun.set()

    async def wait_begun(self) -> None:
        await self._begun.wait()

    async def wait_hurried(self) -> None:
        await self._hurried.wait()

    async def wait_over(self) -> None:
        """Until the window has passed: what never ends by itself ends now."""
        await self._over.wait()

    async def window(self, seconds: float) -> None:
        """Wait so long, or until somebody is in a hurry."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurried.wait()
        self._over.set()
