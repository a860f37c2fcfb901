"""A bank under fire: transfers while the database and the processes that serve it are killed.

Clients send money between real accounts over GraphQL, each wish with its key until it is answered;
readers look at wallets from inside and from outside all the time, subscribers follow every account
and come back with their cursor. PostgreSQL, web and worker die by kill -9 every few seconds. At the
end not a unit is missing, and no event; anything else is told, and the exit code is 1.
"""

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence

from adapters.supervisor.terminal import StartError, say
from tests.bench.rig import options
from tests.bench.rig.bank.size import Size
from tests.bench.rig.bank.storm import endured
from tests.bench.rig.report import Column, Report, number, provenance
from tests.bench.rig.rounds import Goal, Runs, Sample, Trial, batch

HEADING = "A bank under fire"
OURS = "the whole sandbox"
COLUMNS = (
    Column("transfers", number("transfers", 0)),
    Column("per second", number("per_second", 0)),
    Column("refused", number("refused", 0)),
    Column("kills", number("kills", 0)),
    Column("retries", number("retries", 0)),
    Column("longest outage s", number("outage_seconds")),
    Column("p50 ms", number("p50_ms", 0)),
    Column("p99 ms", number("p99_ms", 0)),
    Column("moments summed", number("moments", 0)),
    Column("wallets read", number("reads", 0)),
    Column("events", number("events", 0)),
)
_SHOWN_MOST = 20


def remark_of(runs: Runs) -> str:
    """Who was killed, and what clients saw of it, in the last round."""
    if not runs:
        return ""
    last = runs[-1].sample
    killed = ", ".join(f"{name} {times}" for name, times in sorted(last["killed"].items()))
    retried = ", ".join(f"`{why}` {times}" for why, times in sorted(last["retried"].items()))
    return (
        "A `moment` is one snapshot of all wallets, which must sum to what was given out. Wallets "
        "read over GraphQL must lie within what the answers before the read leave open. Latency is "
        "from the first sending to the answer, repetitions included; clients, readers, databases "
        "and everything else share the machine's cores. An outage is a time in which nobody at all "
        f"was answered. Killed in the last round: {killed}. Sent again because of {retried}."
    )


def goals_of(runs: Runs) -> list[Goal]:
    def most(key: str) -> float | None:
        return max((float(run.sample[key]) for run in runs), default=None)

    return [
        Goal("money that is missing or too much", 0, most("off_by")),
        Goal("findings of the verification", 0, most("findings")),
        Goal("answers, moments, reads and events that must not be", 0, most("violations")),
    ]


def shown(sample: Sample) -> str:
    return (
        f"{sample['transfers']} transfers, {sample['per_second']:.0f}/s, {sample['kills']} kills, "
        f"{sample['retries']} retries, outage {sample['outage_seconds']:.1f} s, "
        f"p50 {sample['p50_ms']:.0f}  p99 {sample['p99_ms']:.0f} ms, off by {sample['off_by']:g}, "
        f"{sample['violations']} violations"
    )


def storms(asked: Namespace, settings: dict[str, str]) -> Callable[[], Sample]:
    """Every round throws the dice anew."""
    rounds = iter(range(asked.rounds))

    def measure() -> Sample:
        size = Size(
            clients=asked.clients,
            people=asked.people,
            seconds=asked.seconds,
            seed=asked.seed + next(rounds),
        )
        weather = endured(size, **settings)
        for violation in weather.proof.violations[:_SHOWN_MOST]:
            say(f"  WRONG: {violation}")
        return weather.figures()

    return measure


def asked_for(words: Sequence[str]) -> Namespace:
    parser = options.parser("bank", __doc__ or "")
    parser.add_argument("--clients", type=int, default=32, help="how many send at a time (32)")
    parser.add_argument("--people", type=int, default=24, help="how many accounts (24)")
    parser.add_argument("--seed", type=int, default=1, help="of the first round's dice (1)")
    asked = parser.parse_args(words)
    asked.rounds = asked.rounds or 1
    asked.seconds = asked.seconds or (15.0 if asked.quick else 60.0)
    return asked


def main() -> None:
    asked = asked_for(sys.argv[1:])
    machine = provenance()
    title = Size(clients=asked.clients, people=asked.people, seconds=asked.seconds).title
    trial = Trial(title, OURS, storms(asked, options.settings_of(asked.set)))
    runs = batch([trial], asked.rounds, shown)
    goals = goals_of(runs)
    Report("bank", HEADING, machine, runs, goals, COLUMNS, {}, remark=remark_of(runs)).tell(
        write=asked.write, out=asked.out
    )
    if len(runs) < asked.rounds or not all(goal.met for goal in goals):
        raise StartError("The bank did not hold.")


if __name__ == "__main__":
    sys.exit(options.finish(main))
