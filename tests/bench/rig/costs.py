"""What ours costs per price, delivery and connection: measured by fanout, used by scale.

One JSON file, docs/benchmarks/costs.json, with the date and the machine it belongs to.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.clock import SystemClock
from tests.bench.rig.contenders import OURS
from tests.bench.rig.load import Load
from tests.bench.rig.redis_cost import RedisCost
from tests.bench.rig.report import RESULTS
from tests.bench.rig.rounds import Runs

FILE = RESULTS / "costs.json"
# One client alone: what a price costs a process before it is shared.
LONELY = Load(clients=1, subscriptions=20, per_second=10)


@dataclass(frozen=True, slots=True)
class Costs:
    """CPU in microseconds, memory in kilobytes, of one core of the machine it was measured on."""

    delivery_alone_us: float
    """A price to a client, in a write of its own."""
    delivery_together_us: float
    """The same when ten prices of a client are written together."""
    price_us: float
    """A price into a web process: read from Redis, executed, encoded; once per process."""
    connect_us: float
    """A client that connects and subscribes once."""
    process_kb: float
    connection_kb: float
    subscription_kb: float
    """Each subscription of a connection beyond its first."""
    delivery_bytes: float
    publish_us: float
    """A price out of the feed."""
    valkey_price_us: float
    """A price in Valkey, whoever listens."""
    valkey_listener_us: float
    """A price to one listening process, in Valkey."""


def costs_of(
    runs: Runs, loads: Sequence[Load], scenario_of: Callable[[Load], str], redis: RedisCost
) -> Costs | None:
    """From a batch that had 1 and 10 symbols; None otherwise.

    The single client's price includes one delivery, which is taken off again.
    """
    usual = [load for load in loads if not load.slow]
    singles = [load for load in usual if load.subscriptions == 1]
    tens = [load for load in usual if load.subscriptions == 10]
    if not singles or not tens:
        return None
    single = min(singles, key=lambda load: abs(load.clients - 1000))
    ten = min(tens, key=lambda load: abs(load.clients - 1000))
    one, many = (runs.medians(scenario_of(load), OURS) for load in (single, ten))
    lonely = runs.medians(scenario_of(LONELY), OURS)
    if not one or not many or not lonely:
        return None
    subscription_kb = max(0.0, many["kb_per_connection"] - one["kb_per_connection"]) / 9
    return Costs(
        delivery_alone_us=one["cpu_us"],
        delivery_together_us=many["cpu_us"],
        price_us=max(0.0, lonely["cpu_us"] - one["cpu_us"]),
        connect_us=one["connect_cpu_ms"] * 1e3,
        process_kb=lonely["memory_kb"],
        connection_kb=one["kb_per_connection"],
        subscription_kb=subscription_kb,
        delivery_bytes=one["bytes_each"],
        publish_us=redis.publish_us,
        valkey_price_us=redis.valkey_price_us,
        valkey_listener_us=redis.valkey_listener_us,
    )


def write(costs: Costs, machine: Mapping[str, object], file: Path = FILE) -> None:
    told = {
        "measured_on": SystemClock().now().date().isoformat(),
        "commit": machine["commit"],
        "cpu": machine["cpu"],
        "costs": {name: round(value, 3) for name, value in asdict(costs).items()},
    }
    file.write_text(json.dumps(told, indent=2) + "\n")


def read(file: Path = FILE) -> tuple[Costs, str]:
    """The costs, and the day they were measured, with what has to be known about it."""
    told = json.loads(file.read_text("utf-8"))
    remark = f", {told['remark']}" if "remark" in told else ""
    return Costs(**told["costs"]), f"{told['measured_on']} at {told['commit']}{remark}"
