"""Thousands of clients cut off and coming back at once, while prices flow.

All connect while prices come at full speed, then four of five are cut and come back together: how
long until everybody has a price again, and what the prices of all are like meanwhile.
"""

import sys
from collections.abc import Callable

from adapters.supervisor.terminal import say
from tests.bench.rig import contenders, options
from tests.bench.rig.contenders import MERCURIUS, OURS, READY_BYTES, RIVALS, STRAWBERRY, TITLES
from tests.bench.rig.load import Load, compiled
from tests.bench.rig.machine import Cores, obstacles
from tests.bench.rig.ours import ground
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch

HEADING = "A storm of reconnecting clients"
SCENARIO_CUT = 0.8
COLUMNS = (
    Column("all connected, s", number("connect_seconds")),
    Column("p99 ms before", number("p99_ms")),
    Column("all back, s", number("back_seconds")),
    Column("p99 ms meanwhile", number("back_p99_ms")),
    Column("attempts that failed", number("back_retries", 0)),
    Column("back", number("back_fed", 0)),
    Column("CPU ms/connect", number("connect_cpu_ms", 2)),
)
REMARK = (
    "Latency meanwhile is of every price to anybody but the first of a subscription, those who "
    "stayed included. A server that is not through after a minute is shown with that minute."
)


def flat(measure: Callable[[], Sample]) -> Callable[[], Sample]:
    """What was seen in the storm, beside what was seen before it."""

    def measured() -> Sample:
        sample = measure()
        back = sample.pop("back")
        told = {name: back[name] for name in ("seconds", "p99_ms", "retries", "fed")}
        return sample | {f"back_{name}": value for name, value in told.items()}

    return measured


def goals_of(runs: Runs, scenario: str) -> list[Goal]:
    ours = runs.medians(scenario, OURS)
    return [
        Goal("seconds until all are connected, prices flowing", 25, ours.get("connect_seconds")),
        Goal("seconds until all are back", 25, ours.get("back_seconds")),
    ]


def shown(sample: Sample) -> str:
    return (
        f"connected {sample['connected']} in {sample['connect_seconds']:5.1f} s  "
        f"back {sample['back_fed']} in {sample['back_seconds']:5.1f} s  "
        f"p99 {sample['p99_ms']:.0f} -> {sample['back_p99_ms']:.0f} ms"
    )


def main() -> None:
    parser = options.parser("storm", __doc__ or "")
    parser.add_argument("--clients", type=int, help="5000 (quick: 500)")
    parser.add_argument("--servers", help=f"of {','.join((OURS, *RIVALS))}")
    asked = parser.parse_args()
    quick = asked.quick
    clients = asked.clients or (500 if quick else 5000)
    wanted = [OURS, READY_BYTES] if quick else [OURS, READY_BYTES, STRAWBERRY, MERCURIUS]
    names = contenders.available(asked.servers.split(",") if asked.servers else wanted)
    load = Load(
        clients=clients,
        subscriptions=1,
        per_second=2,
        flowing=True,
        cut_share=SCENARIO_CUT,
        ramp_seconds=15 if quick else 60,
        measure_seconds=asked.seconds or (3.0 if quick else 10.0),
    )
    for obstacle in obstacles(clients):
        say(f"Note: {obstacle}.")
    machine = provenance() | contenders.versions_of_node_packages()
    scenario = f"{clients} clients, 2/s, {SCENARIO_CUT:.0%} cut at once"
    with compiled() as tools, ground(Cores.split(), options.settings_of(asked.set)) as base:
        trials = [
            Trial(scenario, name, flat(contenders.measured(name, base, load, tools)))
            for name in names
        ]
        runs = batch(trials, asked.rounds or (1 if quick else 3), shown)
    goals = goals_of(runs, scenario)
    Report("storm", HEADING, machine, runs, goals, COLUMNS, TITLES, remark=REMARK).tell(
        write=asked.write, out=asked.out
    )


if __name__ == "__main__":
    sys.exit(options.finish(main))
