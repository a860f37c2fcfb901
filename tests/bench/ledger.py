"""Posting beside pgbench on the same server, and reading from books of a million lines.

Transactions per second of TPC-B by pgbench, of bare postings from Python and of the whole transfer
(key, posting, events) with as many clients for as many seconds. Then p50 of balances and pages of
transactions from 10^4 to 10^6 postings, for somebody with few and somebody with very many.
"""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence

from adapters.sandbox.servers import Servers, ensure
from adapters.supervisor.terminal import StartError, say
from tests.bench.rig import options
from tests.bench.rig.ledger import filling, pgbench, posting, reading
from tests.bench.rig.ledger.filling import Books
from tests.bench.rig.ledger.pgbench import Pgbench
from tests.bench.rig.ledger.poster import PEOPLE, POOL, POST, TRANSFER
from tests.bench.rig.ledger.posting import Posting
from tests.bench.rig.plot import Bar, Group, chart
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch
from tests.world import make_data_dir, remove_data_dir

HEADING = "The ledger"
TPCB = "TPC-B, pgbench -M prepared"
TITLES = {POST: "ours: wallets.post", TRANSFER: "ours: the whole transfer"}
COLUMNS = (
    Column("per second", number("per_second", 0)),
    Column("mean ms", number("mean_ms", 2)),
    Column("p50 ms", number("p50_ms", 2)),
    Column("p99 ms", number("p99_ms", 2)),
    Column("server CPU µs", number("server_cpu_us", 0)),
    Column("client CPU µs", number("client_cpu_us", 0)),
)
WARM_SECONDS = 1.0
FLAT = 2.0
"""A read from the longest books may take so many times as long as one from the shortest."""


def remark_of(processes: int) -> str:
    return (
        f"All on one machine: clients and server take the cores from each other. pgbench is C with "
        f"two threads at scale {pgbench.SCALE} and a connection for each client; ours are "
        f"{processes} Python processes with at most {POOL} connections each, as a web process has "
        "them: more clients than that take turns. A posting is one call of wallets.post and a "
        "transaction by itself, a transfer is Transfers.transfer on PostgresWorks, among "
        f"{PEOPLE} people in random pairs. Who may receive is answered by a double, "
        "GraphQL and HTTP are not in it (`./dev bench bank` has them). CPU is per transaction. "
        "Reads go through PostgresBooks, one at a time; `one asset` and `one kind` look for what "
        "only the oldest entries have."
    )


def clients_words(clients: int) -> str:
    return f"{clients} clients"


def read_words(who: str, what: str) -> str:
    return f"{what}, {who}"


def lines_words(lines: int) -> str:
    return f"{lines:,} postings".replace(",", " ")


def writing(asked: Namespace, tpcb: Pgbench, ours: Posting) -> Iterator[Trial]:
    def by_us(what: str, clients: int) -> Callable[[], Sample]:
        return lambda: ours.measured(what, clients, warm=WARM_SECONDS, seconds=asked.seconds)

    def by_pgbench(clients: int) -> Callable[[], Sample]:
        return lambda: tpcb.measured(clients, asked.seconds)

    for clients in asked.clients:
        scenario = clients_words(clients)
        yield Trial(scenario, TPCB, by_pgbench(clients))
        yield Trial(scenario, POST, by_us(POST, clients))
        yield Trial(scenario, TRANSFER, by_us(TRANSFER, clients))


def reads(shelves: Sequence[Books]) -> Iterator[Trial]:
    def reader(books: Books, who: str, what: str) -> Callable[[], Sample]:
        return lambda: asyncio.run(reading.measured(books, reading.WHO[who], what))

    for who in reading.WHO:
        for what in reading.READS:
            for books in shelves:
                scenario = read_words(who, what)
                yield Trial(scenario, lines_words(books.lines), reader(books, who, what))


def goals_of(runs: Runs, clients: Sequence[int], lines: Sequence[int]) -> list[Goal]:
    goals = []
    for each in map(clients_words, clients):
        tpcb = (each, TPCB)
        posts = runs.ratio("per_second", (each, POST), tpcb)
        transfers = runs.ratio("per_second", (each, TRANSFER), tpcb)
        goals += [
            Goal(f"postings per second, of TPC-B's: {each}", 0.5, posts, at_least=True),
            Goal(f"whole transfers per second, of TPC-B's: {each}", 0.15, transfers, at_least=True),
            Goal(f"the same, what we aim at: {each}", 0.25, transfers, at_least=True),
        ]
    shortest, longest = lines_words(min(lines)), lines_words(max(lines))
    for who in reading.WHO:
        for what in reading.READS:
            scenario = read_words(who, what)
            ratio = runs.ratio("p50_ms", (scenario, longest), (scenario, shortest))
            goals.append(Goal(f"p50 at {longest}, of {shortest}: {scenario}", FLAT, ratio))
    return goals


def plotted(clients: Sequence[int], lines: Sequence[int]) -> Callable[[Runs], str]:
    def bars(runs: Runs, scenario: str, first: str, key: str) -> list[Bar]:
        found = [
            (name, runs.ratio(key, (scenario, name), (scenario, first)))
            for name in runs.contenders(scenario)
        ]
        return [Bar(TITLES.get(n, n), value, n in TITLES) for n, value in found if value]

    def plot(runs: Runs) -> str:
        groups = [
            Group(
                f"{name}: transactions per second, TPC-B = 1 (longer is better)",
                bars(runs, name, TPCB, "per_second"),
            )
            for name in map(clients_words, clients)
        ]
        shortest = lines_words(min(lines))
        for who in reading.WHO:
            for what in reading.READS:
                name = read_words(who, what)
                title = f"{name}: p50, the shortest books = 1 (even is flat)"
                groups.append(Group(title, bars(runs, name, shortest, "p50_ms")))
        return chart("Writing and reading the ledger", groups, unit="x")

    return plot


def shown(sample: Sample) -> str:
    if "per_second" not in sample:
        return f"p50 {sample['p50_ms']:7.2f}  p99 {sample['p99_ms']:7.2f} ms"
    return (
        f"{sample['per_second']:6.0f}/s  mean {sample['mean_ms']:6.2f} ms  "
        f"CPU {sample['server_cpu_us']:.0f} + {sample['client_cpu_us']:.0f} µs"
    )


def asked_for(words: Sequence[str]) -> Namespace:
    parser = options.parser("ledger", __doc__ or "")
    parser.add_argument("--clients", type=options.numbers, help="8,32")
    parser.add_argument("--lines", type=options.numbers, help="postings: 10000,100000,1000000")
    parser.add_argument("--processes", type=int, default=2, help="Python processes that post (2)")
    asked = parser.parse_args(words)
    quick = asked.quick
    asked.clients = asked.clients or ([8] if quick else [8, 32])
    asked.lines = asked.lines or ([10_000, 100_000] if quick else [10_000, 100_000, 1_000_000])
    asked.rounds = asked.rounds or (1 if quick else 3)
    asked.seconds = asked.seconds or (3.0 if quick else 15.0)
    return asked


async def checked(servers: Servers, lines: int) -> Books:
    """Books of that length, proven before anybody reads in them. Raises StartError."""
    say(f"Writing books of {lines_words(lines)} ...")
    books = await filling.filled(servers, lines)
    if wrong := await books.wrong():
        raise StartError(f"The books that were filled do not add up: {wrong[:5]}")
    return books


def main() -> None:
    asked = asked_for(sys.argv[1:])
    machine = provenance()
    data_dir = make_data_dir()
    try:
        with ensure(data_dir) as servers:
            tpcb = asyncio.run(pgbench.prepared(servers))
            machine["pgbench"] = tpcb.version
            ours = asyncio.run(posting.prepared(servers, asked.processes))
            shelves = [asyncio.run(checked(servers, lines)) for lines in asked.lines]
            runs = batch([*writing(asked, tpcb, ours), *reads(shelves)], asked.rounds, shown)
            wrong = asyncio.run(ours.wrong())
    finally:
        remove_data_dir(data_dir)
    if wrong:
        raise StartError(f"The books do not add up, so that no figure counts: {wrong[:5]}")
    goals = goals_of(runs, asked.clients, asked.lines)
    plot = plotted(asked.clients, asked.lines)
    remark = remark_of(asked.processes)
    Report("ledger", HEADING, machine, runs, goals, COLUMNS, TITLES, plot, remark).tell(
        write=asked.write, out=asked.out
    )


if __name__ == "__main__":
    sys.exit(options.finish(main))
