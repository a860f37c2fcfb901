"""One web process and two behind one socket: what a second one costs, and what it executes.

The same clients on both; executions are what our processes count themselves.
"""

import sys

from adapters.supervisor.terminal import say
from tests.bench.rig import contenders, options
from tests.bench.rig.contenders import OURS
from tests.bench.rig.load import Load, compiled
from tests.bench.rig.machine import Cores, obstacles
from tests.bench.rig.ours import ground
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch

HEADING = "Two web processes"
ONE, TWO = "one process", "two processes"
COLUMNS = (
    Column("CPU µs/delivery", number("cpu_us")),
    Column("CPU share", number("cpu_share", 2)),
    Column("delivered", lambda s: f"{s['deliveries_per_second'] / s['demand']:.0%}"),
    Column("p50 ms", number("p50_ms")),
    Column("p99 ms", number("p99_ms")),
)


def goals_of(runs: Runs, scenario: str) -> list[Goal]:
    ratio = runs.ratio("cpu_us", (scenario, TWO), (scenario, ONE))
    return [Goal("CPU per delivery of two processes, of one's", 1.15, ratio)]


def shown(sample: Sample) -> str:
    counted = "  ".join(f"{name}={values}" for name, values in sample["metrics"].items())
    return f"{sample['cpu_us']:7.1f} µs  p99 {sample['p99_ms']:.1f} ms  {counted}"


def remark_of(runs: Runs) -> str:
    """What the processes of the last round counted when everybody had subscribed."""
    lines = ["Counted by the processes themselves when all had subscribed, one number each:", ""]
    for contender in (ONE, TWO):
        found = [run.sample["metrics"] for run in runs if run.contender == contender]
        lines += [
            f"- {contender}: `{name}` {', '.join(f'{value:g}' for value in values)}"
            for name, values in (found[-1] if found else {}).items()
            if "_created" not in name
        ]
    return "\n".join(lines) if len(lines) > 2 else "The processes count no groups yet."


def main() -> None:
    parser = options.parser("processes", __doc__ or "")
    parser.add_argument("--clients", type=int, help="1000 (quick: 200)")
    asked = parser.parse_args()
    clients = asked.clients or (200 if asked.quick else 1000)
    load = Load(
        clients=clients,
        subscriptions=10,
        per_second=1,
        measure_seconds=asked.seconds or (4.0 if asked.quick else 10.0),
    )
    for obstacle in obstacles(clients):
        say(f"Note: {obstacle}.")
    scenario = f"{clients} clients, 10 symbols, 1/s"
    machine = provenance()
    with compiled() as tools, ground(Cores.split(), options.settings_of(asked.set)) as base:
        # The second process shares the load's core where there are two: time on a core is not
        # what is compared, the accounts are.
        both = base.on(
            Cores(tuple(sorted({*base.cores.server, *base.cores.load}))[:2], base.cores.load)
        )
        trials = [
            Trial(scenario, ONE, contenders.measured(OURS, base, load, tools)),
            Trial(scenario, TWO, contenders.measured(OURS, both, load, tools, processes=2)),
        ]
        runs = batch(trials, asked.rounds or (1 if asked.quick else 3), shown)
    Report(
        "processes",
        HEADING,
        machine,
        runs,
        goals_of(runs, scenario),
        COLUMNS,
        {},
        remark=remark_of(runs),
    ).tell(write=asked.write, out=asked.out)


if __name__ == "__main__":
    sys.exit(options.finish(main))
