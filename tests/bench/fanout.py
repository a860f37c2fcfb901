"""Live prices to many clients: ours, plain ASGI, plain Strawberry, mercurius, graphql-ws.

CPU per delivery, latency from the publisher's stamp to the client, memory per connection, at 100,
1000 and 5000 clients, 1 and 10 symbols each, and with slow readers. Ours is the whole way from
Redis to the socket; the rivals make their prices in process.
"""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from dataclasses import replace

from adapters.supervisor.terminal import say
from tests.bench.rig import contenders, costs, options, redis_cost
from tests.bench.rig.contenders import MERCURIUS, OURS, READY_BYTES, RIVALS, STRAWBERRY
from tests.bench.rig.load import Load, Tools, compiled
from tests.bench.rig.machine import Cores, obstacles
from tests.bench.rig.ours import Ground, ground
from tests.bench.rig.plot import Bar, Group, chart
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch

HEADING = "Fan-out"
ALONE = "ours, one write per price"
TITLES = {**contenders.TITLES, ALONE: ALONE}
# A client gets at most ten prices per second and symbol; more clients share one demand, so that
# every scenario is about as busy as the others.
_DEMAND = 10_000
_PER_SECOND_MAX = 10.0
COLUMNS = (
    Column("CPU µs/delivery", number("cpu_us")),
    Column("CPU share", number("cpu_share", 2)),
    Column("delivered", lambda s: f"{s['deliveries_per_second'] / s['demand']:.0%}"),
    Column("p50 ms", number("p50_ms")),
    Column("p99 ms", number("p99_ms")),
    Column("prices/read", number("per_read")),
    Column("kB/connection", number("kb_per_connection")),
    Column("connected", number("connected", 0)),
    Column("within s", number("connect_seconds")),
    Column("CPU ms/connect", number("connect_cpu_ms", 2)),
)
REMARK = (
    "Ours pays for Redis, decoding and the product's checks as well; the rivals make their prices "
    "in process and know nobody. `one write per price` is ours with the symbols of a client spread "
    "over the beat, so that nothing can be written together. `delivered` is of what was asked for: "
    "below 100 % a server is saturated, and its latency says how long its queue is. `prices/read` "
    "is how many prices one read of the client held. The last scenario has one client: what a "
    "price costs before anybody shares it."
)


def load_of(clients: int, symbols: int, slow_share: float, seconds: float) -> Load:
    per_second = max(1.0, min(_PER_SECOND_MAX, _DEMAND / clients / symbols))
    slow = round(clients * slow_share)
    return Load(clients, symbols, per_second, slow, measure_seconds=seconds)


def scenario_of(load: Load) -> str:
    clients = "1 client" if load.clients == 1 else f"{load.clients} clients"
    symbols = "1 symbol" if load.subscriptions == 1 else f"{load.subscriptions} symbols"
    slow = f", {load.slow} never read" if load.slow else ""
    return f"{clients}, {symbols}, {load.per_second:g}/s{slow}"


def loads_of(asked: Namespace) -> list[Load]:
    """All clients with all symbols; slow readers among a thousand."""
    middle = min(asked.clients, key=lambda clients: abs(clients - 1000))
    slow = [load_of(middle, 1, share, asked.seconds) for share in asked.slow if share]
    usual = [load_of(n, k, 0, asked.seconds) for n in asked.clients for k in asked.symbols]
    return usual + slow


def trials_of(
    loads: Sequence[Load], names: Sequence[str], tools: Tools, base: Ground
) -> Iterator[Trial]:
    def trial(load: Load, name: str, label: str = "") -> Trial:
        measure = contenders.measured(name, base, load, tools)
        return Trial(scenario_of(load), label or name, measure)

    for load in loads:
        for name in names:
            yield trial(load, name)
        if OURS in names and load.subscriptions > 1:
            yield trial(replace(load, spread=True), OURS, ALONE)
    if OURS in names:
        lonely = replace(costs.LONELY, measure_seconds=loads[0].measure_seconds)
        yield trial(lonely, OURS)


def goals_of(runs: Runs, loads: Sequence[Load]) -> list[Goal]:
    one, ten = _near(loads, 1000, 1), _near(loads, 1000, 10)
    most = _near(loads, 5000, 1)
    ours = (one, OURS)
    return [
        Goal(
            "CPU per delivery, of plain ASGI's", 0.8, runs.ratio("cpu_us", ours, (one, READY_BYTES))
        ),
        Goal(
            "plain Strawberry's CPU per delivery, of ours",
            10,
            runs.ratio("cpu_us", (one, STRAWBERRY), ours),
            at_least=True,
        ),
        Goal(
            "mercurius' CPU per delivery, of ours",
            2.5,
            runs.ratio("cpu_us", (one, MERCURIUS), ours),
            at_least=True,
        ),
        Goal(
            "10 symbols written together, of one write per price",
            0.4,
            runs.ratio("cpu_us", (ten, OURS), (ten, ALONE)),
        ),
        Goal("p99, of plain ASGI's", 1.0, runs.ratio("p99_ms", ours, (one, READY_BYTES))),
        _memory(runs, one, "one subscription", 40),
        _memory(runs, ten, "ten subscriptions", 60),
        Goal(
            f"seconds until all have a price: {most}",
            25,
            runs.medians(most, OURS).get("connect_seconds"),
        ),
    ]


def _near(loads: Sequence[Load], clients: int, symbols: int) -> str:
    """The scenario a goal speaks of, or the one of the batch with the nearest number of clients."""
    fit = [load for load in loads if not load.slow and load.subscriptions == symbols]
    if not fit:
        return "not in this batch"
    return scenario_of(min(fit, key=lambda load: abs(load.clients - clients)))


def _memory(runs: Runs, scenario: str, what: str, bound: float) -> Goal:
    measured = runs.medians(scenario, OURS).get("kb_per_connection")
    return Goal(f"kB per connection with {what}", bound, measured)


def plot(runs: Runs) -> str:
    def bars(scenario: str) -> list[Bar]:
        ours = (scenario, OURS)
        found = [
            (name, runs.ratio("cpu_us", (scenario, name), ours))
            for name in runs.contenders(scenario)
        ]
        return [Bar(TITLES[name], value, name.startswith(OURS)) for name, value in found if value]

    groups = [Group(name, bars(name)) for name in runs.scenarios() if len(bars(name)) > 1]
    return chart("CPU per delivery, ours = 1 (shorter is better)", groups, unit="x")


def shown(sample: Sample) -> str:
    return (
        f"{sample['cpu_us']:7.1f} µs  p50 {sample['p50_ms']:6.1f}  p99 {sample['p99_ms']:7.1f} ms  "
        f"{sample['deliveries_per_second'] / sample['demand']:4.0%} of {sample['demand']:.0f}/s  "
        f"{sample['kb_per_connection']:5.1f} kB  {sample['connected']} in "
        f"{sample['connect_seconds']:.1f} s"
    )


def asked_for(words: Sequence[str]) -> Namespace:
    parser = options.parser("fanout", __doc__ or "")
    parser.add_argument("--clients", type=options.numbers, help="100,1000,5000")
    parser.add_argument("--symbols", type=options.numbers, help="symbols per client: 1,10")
    parser.add_argument("--slow", type=options.shares, help="shares that never read: 0.2")
    parser.add_argument("--servers", help=f"of {','.join((OURS, *RIVALS))}")
    asked = parser.parse_args(words)
    quick = asked.quick
    asked.clients = asked.clients or ([200] if quick else [100, 1000, 5000])
    asked.symbols = asked.symbols or ([1] if quick else [1, 10])
    asked.slow = asked.slow or ([] if quick else [0.2])
    asked.rounds = asked.rounds or (1 if quick else 3)
    asked.seconds = asked.seconds or (4.0 if quick else 10.0)
    asked.servers = asked.servers.split(",") if asked.servers else [OURS, *RIVALS]
    return asked


def main() -> None:
    asked = asked_for(sys.argv[1:])
    cores = Cores.split()
    for obstacle in obstacles(max(asked.clients)):
        say(f"Note: {obstacle}.")
    names = contenders.available(asked.servers)
    loads = loads_of(asked)
    machine = provenance() | contenders.versions_of_node_packages()
    with compiled() as tools, ground(cores, options.settings_of(asked.set)) as base:
        runs = batch(list(trials_of(loads, names, tools, base)), asked.rounds, shown)
        redis = redis_cost.measured(base, asked.seconds) if asked.write else None
    made = Report(
        "fanout", HEADING, machine, runs, goals_of(runs, loads), COLUMNS, TITLES, plot, REMARK
    )
    made.tell(write=asked.write, out=asked.out)
    if redis and (measured := costs.costs_of(runs, loads, scenario_of, redis)):
        costs.write(measured, machine)
        say("Costs for the model: docs/benchmarks/costs.json. Now ./dev bench scale --write")


if __name__ == "__main__":
    sys.exit(options.finish(main))
