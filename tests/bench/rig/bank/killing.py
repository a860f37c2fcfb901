"""kill -9, every few seconds, of what the bank cannot do without; by the pids of its sandbox."""

import asyncio
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from adapters.sandbox.servers import state
from tests.bench.rig.bank.size import Size
from tests.e2e.sandbox import Sandbox
from tests.world import REPOSITORY

POSTGRES, WEB, WORKER = "postgres", "web", "worker"
# The database most often: it takes everything else along.
_CHANCES = {POSTGRES: 3, WEB: 3, WORKER: 2}


@dataclass(frozen=True, slots=True)
class Death:
    """One kill."""

    at: float
    victim: str
    pid: int


@dataclass(slots=True)
class Killer:
    """Throws the dice, looks for a pid, kills. What is already dead is left alone."""

    sandbox: Sandbox
    size: Size
    deaths: list[Death] = field(default_factory=list)

    async def run(self, until: float) -> None:
        """Kill until then. The first victim is the database, so that short storms have one."""
        dice = random.Random(self.size.seed)  # noqa: S311  # the same every time
        victim = POSTGRES
        while True:
            pause = dice.uniform(*self.size.kill_seconds)
            if time.monotonic() + pause > until:
                return
            await asyncio.sleep(pause)
            self.kill(victim, dice)
            victim = dice.choices(list(_CHANCES), list(_CHANCES.values()))[0]

    def kill(self, victim: str, dice: random.Random) -> None:
        """Kill one process of that role, if any lives."""
        living = sorted(pid for pid in self._pids(victim) if self._is_ours(pid))
        if not living:
            return
        pid = dice.choice(living)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # it died between the look and the kill
            return
        self.deaths.append(Death(time.monotonic(), victim, pid))

    def _is_ours(self, pid: int) -> bool:
        """A file may tell of a process that is dead, and its number be a stranger's by now."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            return False
        return str(REPOSITORY / "app.py") in words or str(self.sandbox.data_dir) in words

    @property
    def counted(self) -> Counter[str]:
        return Counter(death.victim for death in self.deaths)

    def _pids(self, victim: str) -> list[int]:
        if victim == POSTGRES:
            told = state.read(self.sandbox.data_dir / "state.json")
            pid = None if told is None else told.servers[POSTGRES].pid
            return [] if pid is None else [pid]
        pids: dict[str, int] = self.sandbox.addresses["pids"]
        return [pid for name, pid in pids.items() if name.partition("-")[0] == victim]
