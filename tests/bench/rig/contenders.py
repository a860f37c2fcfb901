"""Who is measured: ours in its variants, and the rivals, each started for one run and ended."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager

from adapters.supervisor.terminal import say
from tests.bench.rig.load import Load, Tools, crowd_on
from tests.bench.rig.machine import Cores
from tests.bench.rig.ours import Ground, product
from tests.bench.rig.rounds import Sample
from tests.bench.rig.started import Running, listening, port_of, served
from tests.world import REPOSITORY

OURS = "ours"
STRAWBERRY = "strawberry"
READY_BYTES = "ready-bytes"
MERCURIUS = "mercurius"
GRAPHQL_WS = "graphql-ws"
RIVALS = (READY_BYTES, STRAWBERRY, MERCURIUS, GRAPHQL_WS)
NODE_FOLDER = REPOSITORY / "tests" / "bench" / "rivals" / "node"
TITLES = {
    OURS: "ours (Redis to socket)",
    READY_BYTES: "uvicorn, ready bytes",
    STRAWBERRY: "plain Strawberry",
    MERCURIUS: "mercurius",
    GRAPHQL_WS: "graphql-ws",
}


def node_installed() -> bool:
    """Whether the node rivals can run; installs their packages when they are not there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        say("No node here: mercurius and graphql-ws are left out.")
        return False
    if (NODE_FOLDER / "node_modules" / "mercurius").is_dir():
        return True
    say("Installing the node rivals ...")
    ran = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund"],  # noqa: S607  # as the person has it
        cwd=NODE_FOLDER,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        say(f"npm failed, so mercurius and graphql-ws are left out:\n{ran.stderr[-500:]}")
    return ran.returncode == 0


def available(names: Sequence[str]) -> list[str]:
    """Those of ``names`` that can run here."""
    needs_node = {MERCURIUS, GRAPHQL_WS}
    if needs_node.isdisjoint(names) or node_installed():
        return list(names)
    return [name for name in names if name not in needs_node]


def measured(
    name: str, base: Ground, load: Load, tools: Tools, *, processes: int = 1
) -> Callable[[], Sample]:
    """How to start a contender, have the crowd on it, and end it."""

    def measure() -> Sample:
        with started(name, base, load, processes=processes) as running:
            return crowd_on(tools, running, load, base.cores.load)

    return measure


def started(
    name: str, base: Ground, load: Load, *, processes: int = 1
) -> AbstractContextManager[Running]:
    """One contender, fed in the load's rhythm; only ours runs as several processes."""
    if name == OURS:
        return product(base, load.rhythm, processes=processes)
    return rival(commands()[name], load.rhythm.environment(), base.cores)


def commands() -> dict[str, list[str]]:
    return {
        STRAWBERRY: python_module("plain_strawberry"),
        READY_BYTES: python_module("ready_bytes"),
        MERCURIUS: ["node", str(NODE_FOLDER / "mercurius.mjs")],
        GRAPHQL_WS: ["node", str(NODE_FOLDER / "graphql_ws.mjs")],
    }


def python_module(name: str) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.rivals.{name}"]


@contextmanager
def rival(
    command: Sequence[str], environment: Mapping[str, str], cores: Cores
) -> Iterator[Running]:
    """A server that makes its prices itself."""
    told = {"NODE_ENV": "production", **environment}
    with listening() as bound, served(command, told, [cores.server[0]], bound) as started_one:
        yield Running(port=port_of(bound), pids=(started_one.pid,), source=started_one.pid)


def versions_of_node_packages() -> dict[str, str]:
    """What package-lock.json pins, of what is compared."""
    lock = json.loads((NODE_FOLDER / "package-lock.json").read_text("utf-8"))
    wanted = ("mercurius", "graphql-ws", "graphql", "ws", "fastify")
    return {name: lock["packages"][f"node_modules/{name}"]["version"] for name in wanted}
