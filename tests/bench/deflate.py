"""What compressing every message would cost, and save: permessage-deflate on and off.

A price to a thousand clients, ten times a second. The plain broadcast of uvicorn takes the offer of
clients as uvicorn's defaults do; ours declines it. CPU and bytes per delivery, memory per socket.
"""

import sys
from dataclasses import replace

from tests.bench.rig import contenders, options
from tests.bench.rig.contenders import OURS, READY_BYTES, TITLES
from tests.bench.rig.load import Load, compiled
from tests.bench.rig.machine import Cores, raise_file_limit
from tests.bench.rig.ours import ground
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch

HEADING = "Compression of messages"
NOT_OFFERED, OFFERED = "clients do not offer it", "clients offer permessage-deflate"
COLUMNS = (
    Column("CPU µs/delivery", number("cpu_us")),
    Column("bytes/delivery", number("bytes_each", 0)),
    Column("kB per connection", number("kb_per_connection")),
    Column("deliveries/s", number("deliveries_per_second", 0)),
)
REMARK = (
    "A socket that compresses keeps a window of its own and packs the same bytes once per client, "
    "so that nothing can be encoded once for all. That is why ours declines it; bodies over HTTP "
    "are compressed. The load does not unpack what it gets: no latency is measured where it is on."
)


def goals_of(runs: Runs) -> list[Goal]:
    on, off = (OFFERED, READY_BYTES), (NOT_OFFERED, READY_BYTES)
    ours = runs.ratio("bytes_each", (OFFERED, OURS), (NOT_OFFERED, OURS))
    return [
        Goal(
            "what it costs: CPU per delivery, on of off",
            1,
            runs.ratio("cpu_us", on, off),
            at_least=True,
        ),
        Goal("what it saves: bytes per delivery, on of off", 1, runs.ratio("bytes_each", on, off)),
        Goal("ours declines it: bytes per delivery, offered or not", 1.01, ours),
    ]


def shown(sample: Sample) -> str:
    return (
        f"{sample['cpu_us']:6.1f} µs  {sample['bytes_each']:4.0f} bytes  "
        f"{sample['kb_per_connection']:6.1f} kB  {sample['deliveries_per_second']:6.0f}/s"
    )


def main() -> None:
    asked = options.parser("deflate", __doc__ or "").parse_args()
    raise_file_limit()
    seconds = asked.seconds or (4.0 if asked.quick else 10.0)
    clients = 100 if asked.quick else 1000
    plain = Load(clients=clients, subscriptions=1, per_second=10, measure_seconds=seconds)
    loads = {NOT_OFFERED: plain, OFFERED: replace(plain, deflate=True)}
    with compiled() as tools, ground(Cores.split(), options.settings_of(asked.set)) as base:
        trials = [
            Trial(scenario, name, contenders.measured(name, base, load, tools))
            for scenario, load in loads.items()
            for name in (OURS, READY_BYTES)
        ]
        runs = batch(trials, asked.rounds or (1 if asked.quick else 3), shown)
    Report(
        "deflate", HEADING, provenance(), runs, goals_of(runs), COLUMNS, TITLES, remark=REMARK
    ).tell(write=asked.write, out=asked.out)


if __name__ == "__main__":
    sys.exit(options.finish(main))
