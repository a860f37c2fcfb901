"""When which symbol has a new price: one rhythm for our publisher and every rival's own source.

Calm (once a second) until SIGUSR1, then as fast as asked; a server that cannot keep up leaves
beats out instead of making up for them.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

CALM_PER_SECOND = 1.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """``spread``: one symbol after the other over the whole beat, instead of all in one batch."""

    symbols: int
    per_second: float
    spread: bool
    flowing: bool
    """At full speed from the beginning, while clients still connect."""

    def environment(self) -> dict[str, str]:
        return {
            "BENCH_SYMBOLS": str(self.symbols),
            "BENCH_PER_SECOND": str(self.per_second),
            "BENCH_SPREAD": str(int(self.spread)),
            "BENCH_FLOWING": str(int(self.flowing)),
        }

    @classmethod
    def told(cls, environment: Mapping[str, str] = os.environ) -> Self:
        return cls(
            symbols=int(environment["BENCH_SYMBOLS"]),
            per_second=float(environment["BENCH_PER_SECOND"]),
            spread=environment["BENCH_SPREAD"] == "1",
            flowing=environment["BENCH_FLOWING"] == "1",
        )

    async def beats(self) -> AsyncIterator[Sequence[int]]:
        """The indexes of the symbols that change now, for ever."""
        loop = asyncio.get_running_loop()
        full_speed = asyncio.Event()
        if self.flowing:
            full_speed.set()
        loop.add_signal_handler(signal.SIGUSR1, full_speed.set)
        everything = range(self.symbols)
        groups = [[index] for index in everything] if self.spread else [list(everything)]
        at = loop.time()
        while True:
            per_second = self.per_second if full_speed.is_set() else CALM_PER_SECOND
            for group in groups:
                await asyncio.sleep(max(0.0, at - loop.time()))
                yield group
                at += 1 / per_second / len(groups)
            if at < loop.time() - 1 / per_second:
                at = loop.time()
