"""All of it together: a sandbox of its own, its people, the storm, the proof."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from adapters.postgres import Database
from tests.bench.rig.bank.clients import Client, Wishes
from tests.bench.rig.bank.followers import Follower
from tests.bench.rig.bank.killing import Killer
from tests.bench.rig.bank.people import Person, enrolled, funded
from tests.bench.rig.bank.proof import Proof, proven
from tests.bench.rig.bank.size import Size
from tests.bench.rig.bank.tally import Tally
from tests.bench.rig.bank.witnesses import Inside, Outside
from tests.e2e.sandbox import Sandbox

# Clients of one machine are a flood by every rule; it is not what is looked at.
RAISED = {
    "OKD_FLOOD_LIMIT": "100000000/minute",
    "OKD_CONNECTIONS_PER_ADDRESS": "10000",
    # The day of a minute: only what is sent at once is held against a limit.
    "OKD_TRANSFER_LIMITS": "USDT=5000/1000000/10000000 BTC=0.5/1000000/10000000",
}
# After the last kill: restarts with their growing pauses, and every pending wish to its answer.
_CALM_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Weather:
    """What the storm was like."""

    size: Size
    tally: Tally
    killer: Killer
    inside: Inside
    outside: Sequence[Outside]
    followers: Sequence[Follower]
    start: float
    end: float
    proof: Proof

    def figures(self) -> dict[str, Any]:
        """For tables and JSON."""
        tally = self.tally
        percentiles = quantiles(tally.latencies, n=100)
        killed = self.killer.counted
        return {
            "transfers": len(tally.done),
            "per_second": len(tally.done) / (self.end - self.start),
            "refused": len(tally.refused),
            "kills": sum(killed.values()),
            "killed": dict(killed),
            "retries": sum(tally.retries.values()),
            "retried": dict(tally.retries),
            "replayed": tally.replayed,
            "outage_seconds": tally.longest_silence(self.start, self.end),
            "p50_ms": percentiles[49] * 1e3,
            "p99_ms": percentiles[98] * 1e3,
            "slowest_ms": max(tally.latencies) * 1e3,
            "moments": self.inside.moments,
            "reads": sum(each.reads for each in self.outside),
            "events": self.proof.events,
            "resumed": sum(each.resumed for each in self.followers),
            "off_by": float(max(map(abs, self.proof.off_by.values()))),
            "findings": self.proof.findings,
            "violations": len(self.proof.violations),
        }


def endured(size: Size, **settings: str) -> Weather:
    """A storm in a sandbox of its own; it is gone afterwards. Raises StartError."""
    words = ("--no-web", f"--web-processes={size.web_processes}")
    sandbox = Sandbox(*words, **RAISED, **settings)
    try:
        sandbox.up()
        people = enrolled(sandbox, size.people)
        return asyncio.run(_endured(sandbox, people, size))
    finally:
        sandbox.remove()


async def _endured(sandbox: Sandbox, people: Sequence[Person], size: Size) -> Weather:
    addresses = sandbox.addresses
    database = Database(addresses["database"], role="bench", pool_size=2)
    tally = Tally(given=await funded(database, people))
    await database.aclose()
    graphql = addresses["graphql"]
    wishes = Wishes(people, size)
    clients = [Client(graphql, wishes, tally, size, number) for number in range(size.clients)]
    outside = [Outside(graphql, people, tally, size.seed + n) for n in range(size.readers)]
    followers = [Follower(addresses["graphql_ws"], person, tally) for person in people]
    inside = Inside(addresses["database"], tally)
    killer = Killer(sandbox, size)
    async with asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(follower.run()) for follower in followers]
        start = time.monotonic()
        end = start + size.seconds
        looks = [inside.run(end), killer.run(end), *(each.run(end) for each in outside)]
        watching = [tasks.create_task(each) for each in looks]
        sending = [tasks.create_task(client.run(end)) for client in clients]
        _, unanswered = await asyncio.wait(sending, timeout=size.seconds + _CALM_SECONDS)
        await asyncio.wait(watching)
        proof = await proven(addresses["database"], tally, followers)
        for task in (*following, *unanswered):
            task.cancel()
    return Weather(size, tally, killer, inside, outside, followers, start, end, proof)
