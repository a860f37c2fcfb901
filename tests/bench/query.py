"""A dashboard's query over HTTP: ours, plain Strawberry and what each setting brings, mercurius.

Ten tickers and ten instruments, 201 leaves, sixteen clients that wait for each answer. CPU per
request and latency. Ours reads the tickers from Redis; the rivals hold the same rows in memory.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from adapters.supervisor.terminal import StartError
from tests.bench.rig import contenders, options, prices
from tests.bench.rig.contenders import MERCURIUS, NODE_FOLDER, OURS, STRAWBERRY
from tests.bench.rig.load import Tools, compiled, questions_on
from tests.bench.rig.machine import Cores, raise_file_limit
from tests.bench.rig.ours import Ground, ground, product
from tests.bench.rig.plot import Bar, Group, chart
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rhythm import Rhythm
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch
from tests.bench.rig.started import Running

HEADING = "Queries"
SCENARIO = "dashboard, 16 clients"
ROWS = 10
DOCUMENT = """query Dashboard($instruments: [InstrumentRef!]!) {
  tickers(instruments: $instruments) {
    category symbol lastPrice bidPrice askPrice highPrice24h lowPrice24h change24h volume24h
    asOf stale
  }
  instruments(category: LINEAR, first: 10) {
    edges {
      node {
        category symbol baseAsset quoteAsset status tickSize quantityStep minQuantity maxQuantity
      }
    }
    pageInfo { hasNextPage }
  }
}"""
SDL = """
enum Category { LINEAR }
input InstrumentRef { category: Category!, symbol: String! }
type Ticker {
  category: Category! symbol: String! lastPrice: String! bidPrice: String askPrice: String
  highPrice24h: String! lowPrice24h: String! change24h: String! volume24h: String! asOf: String!
  stale: Boolean!
}
type Instrument {
  category: Category! symbol: String! baseAsset: String! quoteAsset: String! status: String!
  tickSize: String! quantityStep: String! minQuantity: String! maxQuantity: String!
}
type InstrumentEdge { node: Instrument! }
type PageInfo { hasNextPage: Boolean! }
type InstrumentConnection { edges: [InstrumentEdge!]! pageInfo: PageInfo! }
type Query {
  tickers(instruments: [InstrumentRef!]!): [Ticker]!
  instruments(category: Category!, first: Int!): InstrumentConnection!
}
"""
JIT = "mercurius, jit"
# Each adds to the one before it, so that the table says what each brought.
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "Strawberry, asyncio and h11": {"BENCH_PURE": "1"},
    STRAWBERRY: {},
    "+ parser and validation caches": {"BENCH_CACHES": "1"},
    "+ orjson": {"BENCH_CACHES": "1", "BENCH_ORJSON": "1"},
    "+ gc frozen": {"BENCH_CACHES": "1", "BENCH_ORJSON": "1", "BENCH_GC": "1"},
}
TITLES = {**contenders.TITLES, STRAWBERRY: "plain Strawberry (uvloop, httptools)", OURS: "ours"}
COLUMNS = (
    Column("CPU µs/request", number("cpu_us", 0)),
    Column("requests/s", number("per_second", 0)),
    Column("p50 ms", number("p50_ms", 2)),
    Column("p99 ms", number("p99_ms", 2)),
    Column("bytes", number("bytes_each", 0)),
)
REMARK = (
    "One document, pinned: the same text in every request. Each line that begins with `+` adds one "
    "setting to the plain Strawberry server above it. Ours has the gateway around it as well: "
    "limits, correlation, metrics, error masking, and a read of Redis."
)


def body() -> str:
    asked = [{"category": "LINEAR", "symbol": prices.symbol_of(index)} for index in range(ROWS)]
    return json.dumps({"query": DOCUMENT, "variables": {"instruments": asked}})


def answer_of(running: Running) -> dict[str, Any]:
    """One answer, checked to be the whole dashboard. Raises StartError."""
    answer = httpx.post(
        f"http://127.0.0.1:{running.port}/graphql",
        content=body(),
        headers={"content-type": "application/json"},
        timeout=30,
    ).json()
    if "errors" in answer or leaves_of(answer["data"]) != ROWS * 20 + 1:
        raise StartError(f"This is not the dashboard: {json.dumps(answer)[:500]}")
    data = answer["data"]
    assert isinstance(data, dict)
    return data


def leaves_of(value: object) -> int:
    match value:
        case dict():
            return sum(leaves_of(part) for part in value.values())
        case list():
            return sum(leaves_of(part) for part in value)
    return int(value is not None)


def rows_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """The product's own rows, for the rivals to answer with."""
    return {
        "typeDefs": SDL,
        "tickers": {row["symbol"]: row for row in data["tickers"]},
        "instruments": [edge["node"] for edge in data["instruments"]["edges"]],
    }


def trials_of(
    tools: Tools, base: Ground, file: Path, seconds: tuple[float, float], *, with_node: bool
) -> Iterator[Trial]:
    def ask(running: Running) -> Sample:
        answer_of(running)
        return questions_on(tools, running, body(), seconds, base.cores.load)

    def ours() -> Sample:
        with product(base, calm()) as running:
            return ask(running)

    def rival(command: Sequence[str], switches: Mapping[str, str]) -> Callable[[], Sample]:
        def measure() -> Sample:
            environment = {"BENCH_DATA": str(file), **switches}
            with contenders.rival(command, environment, base.cores) as running:
                return ask(running)

        return measure

    yield Trial(SCENARIO, OURS, ours)
    for name, switches in VARIANTS.items():
        yield Trial(SCENARIO, name, rival(contenders.python_module("plain_query"), switches))
    if with_node:
        command = ["node", str(NODE_FOLDER / "query.mjs")]
        yield Trial(SCENARIO, MERCURIUS, rival(command, {}))
        yield Trial(SCENARIO, JIT, rival(command, {"BENCH_JIT": "1"}))


def calm() -> Rhythm:
    return Rhythm(symbols=ROWS, per_second=1, spread=False, flowing=False)


def goals_of(runs: Runs) -> list[Goal]:
    ours = (SCENARIO, OURS)
    plain = (SCENARIO, STRAWBERRY)
    settings = runs.ratio("cpu_us", plain, (SCENARIO, list(VARIANTS)[-1]))
    whole = runs.ratio("cpu_us", plain, ours)
    return [
        Goal("plain Strawberry's CPU, of the same with all caches", 2.0, settings, at_least=True),
        Goal("plain Strawberry's CPU, of the whole product", 2.0, whole, at_least=True),
    ]


def plot(runs: Runs) -> str:
    ours = (SCENARIO, OURS)
    bars = [
        Bar(TITLES.get(name, name), value, name == OURS)
        for name in runs.contenders(SCENARIO)
        if (value := runs.ratio("cpu_us", (SCENARIO, name), ours))
    ]
    return chart("CPU per request, ours = 1 (shorter is better)", [Group("", bars)], unit="x")


def shown(sample: Sample) -> str:
    wrong = f"  {sample['wrong']} WRONG" if sample["wrong"] else ""
    return (
        f"{sample['cpu_us']:7.0f} µs  p50 {sample['p50_ms']:6.2f}  p99 {sample['p99_ms']:6.2f} ms  "
        f"{sample['per_second']:6.0f}/s{wrong}"
    )


def asked_for(words: Sequence[str]) -> Namespace:
    asked = options.parser("query", __doc__ or "").parse_args(words)
    asked.rounds = asked.rounds or (1 if asked.quick else 3)
    asked.seconds = asked.seconds or (2.0 if asked.quick else 8.0)
    return asked


def main() -> None:
    asked = asked_for(sys.argv[1:])
    raise_file_limit()
    with_node = contenders.node_installed()
    machine = provenance() | contenders.versions_of_node_packages()
    extra = options.settings_of(asked.set)
    with (
        compiled() as tools,
        ground(Cores.split(), extra) as base,
        TemporaryDirectory(prefix="okd-bench-") as folder,
    ):
        file = Path(folder) / "rows.json"
        with product(base, calm()) as running:
            file.write_text(json.dumps(rows_of(answer_of(running))))
        seconds = (1.0 if asked.quick else 3.0, asked.seconds)
        trials = list(trials_of(tools, base, file, seconds, with_node=with_node))
        runs = batch(trials, asked.rounds, shown)
    made = Report("query", HEADING, machine, runs, goals_of(runs), COLUMNS, TITLES, plot, REMARK)
    made.tell(write=asked.write, out=asked.out)


if __name__ == "__main__":
    sys.exit(options.finish(main))
