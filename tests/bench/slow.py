"""Two of ten clients never read: what the other eight and the server's memory feel of it.

Twenty symbols each at ten per second: some 50 kB/s that a client who does not read leaves to the
kernel first and to the server then. Measured with and without them, a minute each.
"""

import sys
from dataclasses import replace

from tests.bench.rig import contenders, options
from tests.bench.rig.contenders import MERCURIUS, OURS, READY_BYTES, RIVALS, STRAWBERRY, TITLES
from tests.bench.rig.load import Load, compiled
from tests.bench.rig.machine import Cores, raise_file_limit
from tests.bench.rig.ours import ground
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch

HEADING = "Readers that do not read"
ALL_READ, TWO_DO_NOT = "10 clients, all read", "10 clients, 2 never read"
COLUMNS = (
    Column("delivered to the others", lambda s: f"{s['deliveries_per_second'] / s['demand']:.1%}"),
    Column("p50 ms", number("p50_ms")),
    Column("p99 ms", number("p99_ms")),
    Column("CPU µs/delivery", number("cpu_us")),
    Column("memory grew, kB", lambda s: f"{s['memory_end_kb'] - s['memory_kb']:.0f}"),
)


def goals_of(runs: Runs) -> list[Goal]:
    with_them, without = (TWO_DO_NOT, OURS), (ALL_READ, OURS)
    seen = runs.medians(*with_them)
    grown = (seen["memory_end_kb"] - seen["memory_kb"]) / 1024 if seen else None
    return [
        Goal(
            "prices that reach the others, of those without slow readers",
            0.99,
            # Eight readers instead of ten: by reader.
            _scaled(runs.ratio("deliveries_per_second", with_them, without), 10 / 8),
            at_least=True,
        ),
        Goal("their p99, of the one without", 1.5, runs.ratio("p99_ms", with_them, without)),
        Goal("MB that memory grew in the time", 10, grown),
    ]


def _scaled(ratio: float | None, by: float) -> float | None:
    return None if ratio is None else ratio * by


def shown(sample: Sample) -> str:
    before, after = sample["memory_kb"] / 1024, sample["memory_end_kb"] / 1024
    return (
        f"{sample['deliveries_per_second'] / sample['demand']:6.1%}  p99 {sample['p99_ms']:.1f} ms"
        f"  memory {before:.1f} -> {after:.1f} MB"
    )


def main() -> None:
    parser = options.parser("slow", __doc__ or "")
    parser.add_argument("--servers", help=f"of {','.join((OURS, *RIVALS))}")
    asked = parser.parse_args()
    raise_file_limit()
    wanted = [OURS, READY_BYTES] if asked.quick else [OURS, READY_BYTES, STRAWBERRY, MERCURIUS]
    names = contenders.available(asked.servers.split(",") if asked.servers else wanted)
    seconds = asked.seconds or (10.0 if asked.quick else 60.0)
    all_read = Load(clients=10, subscriptions=20, per_second=10, measure_seconds=seconds)
    machine = provenance() | contenders.versions_of_node_packages()
    with compiled() as tools, ground(Cores.split(), options.settings_of(asked.set)) as base:
        trials = [
            Trial(scenario, name, contenders.measured(name, base, load, tools))
            for scenario, load in (
                (ALL_READ, all_read),
                (TWO_DO_NOT, replace(all_read, slow=2)),
            )
            for name in names
        ]
        runs = batch(trials, asked.rounds or (1 if asked.quick else 3), shown)
    Report("slow", HEADING, machine, runs, goals_of(runs), COLUMNS, TITLES).tell(
        write=asked.write, out=asked.out
    )


if __name__ == "__main__":
    sys.exit(options.finish(main))
