"""What follows commits, outside of them: run soon, and once for many that ask for the same."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

# The first is run at once; what is asked for meanwhile waits so long, and is run once.
PAUSE_SECONDS = 0.005


class Afterwards:
    """Runs statements one after the other, never twice what one run of it answers.

    Bells, above all: who is told that there is news looks at all of it, so that a thousand commits
    a second need no thousand bells.
    """

    def __init__(self, run: Callable[[str], Awaitable[None]]) -> None:
        """``run`` keeps its failures to itself."""
        self._run = run
        self._wanted: dict[str, None] = {}
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def want(self, statements: Iterable[str]) -> None:
        """Run them soon; nothing any more once closed."""
        if self._closed:
            return
        self._wanted.update(dict.fromkeys(statements))
        if self._wanted and self._task is None:
            self._task = asyncio.create_task(self._work())  # noqa: TID251  # aclose waits for it

    async def aclose(self) -> None:
        """Run what is still wanted."""
        self._closed = True
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                for statement in wanted:
                    await self._run(statement)
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._task = None
