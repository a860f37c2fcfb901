"""The C load generators: compiled on the spot, run on their own cores, heard line by line."""

import json
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from adapters.supervisor.terminal import StartError
from tests.bench.rig import prices
from tests.bench.rig.machine import cpu_seconds, memory_kb, pinned
from tests.bench.rig.rhythm import Rhythm
from tests.bench.rig.started import Running

_SOURCES = Path(__file__).parent
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Load:
    """One scenario of live prices; seconds are those of the load generator."""

    clients: int
    subscriptions: int
    per_second: float
    slow: int = 0
    spread: bool = False
    flowing: bool = False
    cut_share: float = 0.0
    deflate: bool = False
    """Clients offer permessage-deflate; what comes compressed is counted and not read."""
    ramp_seconds: float = 25.0
    warm_seconds: float = 3.0
    measure_seconds: float = 10.0

    @property
    def rhythm(self) -> Rhythm:
        return Rhythm(self.subscriptions, self.per_second, self.spread, self.flowing)

    @property
    def demand(self) -> float:
        """Deliveries per second, were everybody served everything."""
        return (self.clients - self.slow) * self.subscriptions * self.per_second

    def arguments(self, port: int) -> list[str]:
        told = {
            "-p": port,
            "-n": self.clients,
            "-s": self.subscriptions,
            "-k": self.subscriptions,
            "-L": self.slow,
            "-r": self.ramp_seconds,
            "-w": self.warm_seconds,
            "-d": self.measure_seconds,
            "-P": 1 / self.per_second,
            "-c": self.cut_share,
            "-z": int(self.deflate),
            "-m": prices.subscribe_payload(),
        }
        return [str(word) for pair in told.items() for word in pair]


@dataclass(frozen=True, slots=True)
class Tools:
    """The compiled programs."""

    fan: Path
    ask: Path


@contextmanager
def compiled() -> Iterator[Tools]:
    """Compile both for as long as the block lasts. Raises StartError."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise StartError(
            "The load generators are C and there is no compiler here. Install one (Debian: "
            "apt-get install gcc libc6-dev) and start again; a Python one would cost more than "
            "the servers it measures."
        )
    with TemporaryDirectory(prefix="okd-bench-") as folder:
        tools = Tools(Path(folder) / "fan", Path(folder) / "ask")
        for program in (tools.fan, tools.ask):
            source = _SOURCES / f"{program.name}.c"
            _run([compiler, "-O2", "-o", str(program), str(source), "-lm"])
        yield tools


def _run(command: Sequence[str]) -> None:
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if ran.returncode:
        raise StartError(f"{' '.join(command)} failed:\n{ran.stderr[-2000:]}")


def events(command: Sequence[str], cores: Collection[int]) -> Iterator[Event]:
    """What a load generator tells, as it tells it. Raises StartError when it fails."""
    with pinned(cores):
        crowd = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  # ours
    with crowd:
        try:
            assert crowd.stdout is not None
            for line in crowd.stdout:
                yield json.loads(line)
        finally:
            if crowd.poll() is None and sys.exc_info()[0] is not None:
                crowd.kill()
    if crowd.returncode:
        raise StartError(f"{command[0]} ended with {crowd.returncode}.")


def crowd_on(tools: Tools, running: Running, load: Load, cores: Collection[int]) -> Event:
    """One run of the crowd against a server: what it saw, and what it cost by /proc."""
    # Imports and caches of first clients are not the price of a connection; enough of them that
    # every process behind the socket gets some.
    few = 2 if len(running.pids) == 1 else 16
    first = replace(load, clients=few, slow=0, cut_share=0, warm_seconds=0, measure_seconds=0.1)
    for _ in events([str(tools.fan), *first.arguments(running.port)], cores):
        pass
    sample: Event = {}
    meter = _Meter(running)
    memory_before = memory_kb(running.pids)
    for event in events([str(tools.fan), *load.arguments(running.port)], cores):
        name = event.pop("event")
        cost = meter.lap()
        if name == "ramped":
            running.full_speed()
            sample["connect_seconds"] = event["seconds"]
            sample["connect_cpu_ms"] = cost["cpu"] * 1e3 / max(1, event["fed"])
            # Before warming up: answering costs CPU, too.
            sample["metrics"] = metrics_of(running)
        elif name == "measuring":
            sample["connected"] = event["connected"]
            sample["memory_kb"] = memory_kb(running.pids)
            grown = sample["memory_kb"] - memory_before
            sample["kb_per_connection"] = grown / max(1, event["connected"])
        elif name == "measured":
            sample |= event | _costs(event, cost)
            sample["memory_end_kb"] = memory_kb(running.pids)
        else:
            sample["back"] = event
    sample["demand"] = load.demand
    return sample


def metrics_of(running: Running) -> dict[str, list[float]]:
    """What our processes count themselves of groups and executions: one number per process."""
    found: dict[str, list[float]] = {}
    for port in running.operations:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=30).text
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith("okd_") and ("group" in name or "execution" in name):
                found.setdefault(name, []).append(float(value))
    return found


class _Meter:
    """CPU since the last look, of what is measured and of what stands beside it."""

    def __init__(self, running: Running) -> None:
        self._groups = {"cpu": running.pids, **{n: (p,) for n, p in running.beside.items()}}
        self._before = {name: cpu_seconds(pids) for name, pids in self._groups.items()}

    def lap(self) -> dict[str, float]:
        now = {name: cpu_seconds(pids) for name, pids in self._groups.items()}
        used = {name: now[name] - self._before[name] for name in now}
        self._before = now
        return used


def _costs(event: Event, cost: dict[str, float]) -> Event:
    deliveries = max(1, event["deliveries"])
    found: Event = {
        "cpu_us": cost["cpu"] * 1e6 / deliveries,
        "cpu_share": cost["cpu"] / event["seconds"],
        "deliveries_per_second": event["deliveries"] / event["seconds"],
    }
    beside = {name: used / event["seconds"] for name, used in cost.items() if name != "cpu"}
    return found | ({"beside": beside} if beside else {})


def questions_on(
    tools: Tools, running: Running, body: str, seconds: tuple[float, float], cores: Collection[int]
) -> Event:
    """One run of sixteen HTTP clients; ``seconds`` to warm up and to measure."""
    warm, measure = (str(s) for s in seconds)
    command = [str(tools.ask), "-p", str(running.port), "-n", "16", "-w", warm, "-d", measure]
    sample: Event = {}
    meter = _Meter(running)
    for event in events([*command, "-q", body], cores):
        cost = meter.lap()
        if event.pop("event") == "measured":
            answers = max(1, event["answers"])
            sample = event | {
                "cpu_us": cost["cpu"] * 1e6 / answers,
                "per_second": event["answers"] / event["seconds"],
                "memory_end_kb": memory_kb(running.pids),
            }
    return sample
