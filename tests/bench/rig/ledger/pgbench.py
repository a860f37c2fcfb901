"""PostgreSQL's own benchmark on the sandbox's own server: the yardstick of posting.

TPC-B-like, ``-M prepared``: three updates, a select and an insert by primary key, one commit. The
program is the one beside the server that runs.
"""

import re
import resource
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from adapters.sandbox.servers import Servers
from adapters.sandbox.servers.postgres_server import OWNER
from adapters.supervisor.terminal import StartError
from tests.bench.rig.machine import family_cpu_seconds
from tests.bench.rig.rounds import Sample
from tests.world import create_database

DATABASE = "okd_tpcb"
# pgbench's manual: no smaller than the number of clients, or they wait for one another's branch.
SCALE = 32
_THREADS = 2
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_LATENCY = re.compile(r"^latency average = ([0-9.]+) ms", re.MULTILINE)
_FAILED = re.compile(r"^number of failed transactions: (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pgbench:
    """The program, and the server it is let loose on."""

    program: Path
    postmaster: int
    sockets: str

    @property
    def version(self) -> str:
        return self._run("--version").split()[-1]

    def fill(self) -> None:
        """Make the tables."""
        self._run(*self._where, "-i", "-q", "-s", str(SCALE), DATABASE)

    def measured(self, clients: int, seconds: float) -> Sample:
        """One run. Raises StartError."""
        server = family_cpu_seconds(self.postmaster)
        client = _children_seconds()
        said = self._run(
            *self._where,
            *("-n", "-M", "prepared", "-c", str(clients), "-j", str(_THREADS)),
            *("-T", str(max(1, round(seconds))), DATABASE),
        )
        per_second, latency = _number(_TPS, said), _number(_LATENCY, said)
        if _number(_FAILED, said):
            raise StartError(f"pgbench failed at transactions:\n{said}")
        done = per_second * max(1, round(seconds))
        return {
            "per_second": per_second,
            "mean_ms": latency,
            "server_cpu_us": (family_cpu_seconds(self.postmaster) - server) * 1e6 / done,
            "client_cpu_us": (_children_seconds() - client) * 1e6 / done,
        }

    @property
    def _where(self) -> tuple[str, ...]:
        return ("-h", self.sockets, "-U", OWNER)

    def _run(self, *words: str) -> str:
        ran = subprocess.run(  # noqa: S603  # PostgreSQL's own program
            [str(self.program), *words], capture_output=True, text=True, check=False, timeout=900
        )
        if ran.returncode:
            raise StartError(f"pgbench {' '.join(words)} failed:\n{ran.stderr[-2000:]}")
        return ran.stdout


async def prepared(servers: Servers) -> Pgbench:
    """Find the program and fill a database of its own. Raises StartError."""
    status = servers.status()
    pid = None if status is None else status.servers["postgres"].pid
    if status is None or pid is None:
        raise StartError("PostgreSQL is not there.")
    made = Pgbench(_program(pid), pid, status.sockets)
    await create_database(servers, DATABASE)
    made.fill()
    return made


def _program(postmaster: int) -> Path:
    beside = Path(f"/proc/{postmaster}/exe").resolve().with_name("pgbench")
    found = str(beside) if beside.exists() else shutil.which("pgbench")
    if found is None:
        raise StartError(
            f"There is no pgbench beside {beside.with_name('postgres')} nor on the path. Debian: "
            "apt-get install postgresql-contrib"
        )
    return Path(found)


def _number(pattern: re.Pattern[str], said: str) -> float:
    found = pattern.search(said)
    if found is None:
        raise StartError(f"pgbench said something else than expected:\n{said}")
    return float(found.group(1))


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
