"""What so many subscribers would need: a capacity model from the measured costs.

    ./dev bench scale --subscribers 1000000 --symbols 10 --per-second 2 --instruments 500

The costs are those of docs/benchmarks/costs.json, which `./dev bench fanout --write` measures;
docs/scale.md holds what this prints (--write).
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from adapters.supervisor.terminal import say
from tests.bench.rig import costs, options
from tests.bench.rig.costs import Costs
from tests.bench.rig.report import with_section
from tests.world import REPOSITORY

PAGE = REPOSITORY / "docs" / "scale.md"
HEADING = "What the model says"
# A core that is busier than this has no room for a burst, and its queue is what p99 is made of.
UTILISATION = 0.6
# TCP, IP and WebSocket around a price that travels alone.
OVERHEAD_BYTES = 58
# A ticker's frame in Redis (all its fields), with the protocol around it.
FRAME_BYTES = 700
NETWORK_BYTES = 10e9 / 8
PORTS = 28_000
"""Connections from one proxy address to one address and port behind it."""


@dataclass(frozen=True, slots=True)
class Demand:
    """What is asked of the platform."""

    subscribers: int
    symbols: int
    """Of each subscriber."""
    per_second: float
    """Prices of each symbol."""
    instruments: int
    """Different symbols that anybody watches."""

    @property
    def deliveries_per_second(self) -> float:
        return self.subscribers * self.symbols * self.per_second

    @property
    def prices_per_second(self) -> float:
        """Into every web process."""
        return self.instruments * self.per_second


@dataclass(frozen=True, slots=True)
class Need:
    """What it takes. One web process has one core."""

    processes: int
    core_seconds: float
    """Busy cores, per second: what the processes use of theirs."""
    memory_bytes: float
    bytes_out: float
    redis_channels: int
    redis_messages: float
    redis_bytes: float
    redis_core: float
    """Of one core: Redis publishes in one thread."""
    publish_core: float
    """Of one core: the feed of a category is one process."""
    upstream_connections: int
    back_seconds: float
    """Until everybody is back when all were cut."""


def delivery_us(costs_of_ours: Costs, symbols: int) -> float:
    """CPU of one delivery: what is written together is cheaper, up to ten in one write."""
    together = min(symbols, 10)
    share = (together - 1) / 9
    alone, ten = costs_of_ours.delivery_alone_us, costs_of_ours.delivery_together_us
    return alone + (min(alone, ten) - alone) * share


def need(demand: Demand, of: Costs, *, categories: int = 2) -> Need | None:
    """The smallest number of processes that carries the demand.

    None when every process would be busy with the prices alone, however many there are.
    """
    room = UTILISATION - demand.prices_per_second * of.price_us / 1e6
    if room <= 0:
        return None
    delivering = demand.deliveries_per_second * delivery_us(of, demand.symbols) / 1e6
    processes = max(1, math.ceil(delivering / room))
    connection_kb = of.connection_kb + (demand.symbols - 1) * of.subscription_kb
    messages = processes * demand.prices_per_second
    connecting = demand.subscribers * of.connect_us * (1 + 0.1 * (demand.symbols - 1)) / 1e6
    return Need(
        processes=processes,
        core_seconds=delivering + processes * demand.prices_per_second * of.price_us / 1e6,
        memory_bytes=(processes * of.process_kb + demand.subscribers * connection_kb) * 1024,
        bytes_out=demand.deliveries_per_second * (of.delivery_bytes + OVERHEAD_BYTES),
        redis_channels=demand.instruments + categories,
        redis_messages=messages,
        redis_bytes=messages * FRAME_BYTES,
        redis_core=(
            demand.prices_per_second * of.valkey_price_us + messages * of.valkey_listener_us
        )
        / 1e6,
        publish_core=demand.prices_per_second * of.publish_us / 1e6,
        upstream_connections=categories,
        # What is not needed for prices meanwhile connects; deliveries grow as they come.
        back_seconds=connecting / (processes * (1 - UTILISATION)),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    """Something there is one of, and how many subscribers fill it."""

    what: str
    subscribers: float


def limits(demand: Demand, of: Costs) -> Sequence[Limit]:
    """What is full first when only the number of subscribers grows."""
    found = need(demand, of)
    if found is None:
        return [Limit("a process: the prices alone fill its core", 0)]
    per = demand.subscribers
    stored = demand.prices_per_second * of.valkey_price_us / 1e6
    redis = (found.redis_core - stored) / per
    wire = found.redis_bytes / NETWORK_BYTES / per
    out = found.bytes_out / NETWORK_BYTES / per
    known = [
        Limit(
            "Redis: its one publishing thread",
            (UTILISATION - stored) / redis if redis else math.inf,
        ),
        Limit("Redis: a 10 Gbit/s network", UTILISATION / wire if wire else math.inf),
        Limit("a 10 Gbit/s network to the clients, per host", UTILISATION / out),
        Limit("connections from one proxy address to one listening port", PORTS),
    ]
    return sorted(known, key=lambda limit: limit.subscribers)


PROFILES = {
    "phones: 5 symbols, 1/s": (5, 1.0, 500),
    "dashboards: 10 symbols, 2/s": (10, 2.0, 500),
}


def rows(of: Costs) -> Iterator[str]:
    yield "| | " + " | ".join(f"{n:,} {name}" for name in PROFILES for n in SIZES) + " |"
    yield "|---" * (len(PROFILES) * len(SIZES) + 1) + "|"
    needs = [need(Demand(n, *profile), of) for profile in PROFILES.values() for n in SIZES]
    for title, shown in LINES:
        cells = " | ".join("cannot" if found is None else shown(found) for found in needs)
        yield f"| {title} | {cells} |"


SIZES = (100_000, 1_000_000)
LINES: Sequence[tuple[str, Callable[[Need], str]]] = (
    ("web processes, one core each", lambda n: f"{n.processes:,}"),
    ("cores busy", lambda n: f"{n.core_seconds:,.1f}"),
    ("memory", lambda n: f"{n.memory_bytes / 2**30:,.1f} GiB"),
    ("to the clients", lambda n: f"{n.bytes_out * 8 / 1e9:,.2f} Gbit/s"),
    ("Redis channels", lambda n: f"{n.redis_channels:,}"),
    ("Redis messages out", lambda n: f"{n.redis_messages:,.0f}/s"),
    ("Redis bandwidth", lambda n: f"{n.redis_bytes * 8 / 1e9:,.2f} Gbit/s"),
    ("Redis, of its one thread", lambda n: f"{n.redis_core:.0%}"),
    ("feed, of one core per category", lambda n: f"{n.publish_core:.0%}"),
    ("connections to Bybit", lambda n: f"{n.upstream_connections}"),
    ("until all are back after a cut", lambda n: f"{n.back_seconds:,.0f} s"),
)


def section(of: Costs, measured_on: str) -> str:
    """What docs/scale.md holds of the model."""
    lines = [f"With the costs of {measured_on} ([benchmarks/costs.json](benchmarks/costs.json)):"]
    lines += ["", *rows(of), ""]
    for name, profile in PROFILES.items():
        first = [
            f"{limit.what} at {limit.subscribers:,.0f}"
            for limit in limits(Demand(SIZES[-1], *profile), of)
            if limit.subscribers != math.inf
        ]
        lines.append(f"- {name}, full in this order: {'; '.join(first)}.")
    return "\n".join(lines)


def main() -> None:
    parser = options.plain("scale", __doc__ or "")
    parser.add_argument("--subscribers", type=int)
    parser.add_argument("--symbols", type=int, default=10, help="of each subscriber")
    parser.add_argument("--per-second", type=float, default=1.0, help="prices of each symbol")
    parser.add_argument("--instruments", type=int, default=500, help="watched by anybody")
    asked = parser.parse_args()
    of, measured_on = costs.read()
    if asked.write:
        PAGE.write_text(with_section(PAGE.read_text(), HEADING, section(of, measured_on)))
    if asked.subscribers is None:
        say(section(of, measured_on))
        return
    demand = Demand(asked.subscribers, asked.symbols, asked.per_second, asked.instruments)
    found = need(demand, of)
    if found is None:
        say("No number of processes carries this: the prices alone fill a core of each.")
        return
    for title, shown in LINES:
        say(f"{title:<34} {shown(found)}")
    for limit in limits(demand, of):
        say(f"full at {limit.subscribers:>16,.0f}  {limit.what}")


if __name__ == "__main__":
    sys.exit(options.finish(main))
