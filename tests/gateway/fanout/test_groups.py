"""One execution for all who share, none for anybody else, and nothing left behind."""

import asyncio
from collections.abc import AsyncGenerator
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import pytest
import strawberry

from adapters.gateway.fanout.callers import Caller, Callers
from adapters.gateway.fanout.execution import Execution
from adapters.gateway.fanout.groups import (
    GroupLimits,
    Groups,
    Membership,
    Refused,
    TooManyGroups,
)
from adapters.gateway.fanout.plan import Planner
from adapters.telemetry import correlation
from domain.kernel.ids import UserId
from domain.kernel.policy import Audience, FieldPolicy
from domain.kernel.viewer import ANONYMOUS, Viewer
from tests.domain.doubles import candle, repriced, ticker
from tests.gateway.fanout.stage import SCHEMA, Remembering, running
from tests.gateway.fanout.test_plan import WATCH, refs

TICKER = "subscription ($s: String!) { ticker(category: LINEAR, symbol: $s) { lastPrice } }"
SPELT = TICKER.replace("$s: String!", "$other: String!").replace(": $s", ": $other")
BTC = ticker("BTCUSDT", "1")
ETH = ticker("ETHUSDT", "7")
ANA = Viewer(UserId(UUID(int=1)))


async def settled() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_many_subscribers_are_one_execution_and_one_encoding():
    async with running(BTC) as stage:
        joined = [await stage.join(TICKER, s="BTCUSDT") for _ in range(20)]
        joined.append(await stage.join(SPELT, other="BTCUSDT"))
        stage.live.push(repriced(BTC, "2"))
        for sink, _ in joined:
            await sink.heard(2)

        assert len(stage.live.watched) == 1
        assert {tuple(sink.prices()) for sink, _ in joined} == {("1", "2")}
        assert len({id(sink.encoded[1].tail) for sink, _ in joined}) == 1
        counters = stage.groups.counters
        assert (counters.groups, counters.executions, counters.members) == (1, 1, 21)
        assert (counters.values, counters.deliveries) == (2, 42)


async def test_who_comes_late_gets_the_current_value_at_once_and_nothing_older():
    async with running(BTC) as stage:
        first, _ = await stage.join(TICKER, s="BTCUSDT")
        stage.live.push(repriced(BTC, "2"))
        await first.heard(2)
        late, _ = await stage.join(TICKER, s="BTCUSDT")

        assert late.prices() == ["2"]
        stage.live.push(repriced(BTC, "3"))
        await late.heard(2)
        assert late.prices() == ["2", "3"]


async def test_the_last_to_leave_ends_the_execution_and_the_next_begins_anew():
    async with running(BTC) as stage:
        first, one = await stage.join(TICKER, s="BTCUSDT")
        second, two = await stage.join(TICKER, s="BTCUSDT")
        await first.heard(1)

        one.leave()
        await settled()
        assert len(stage.live.open) == 1

        two.leave()
        two.leave()
        stage.live.push(repriced(BTC, "2"))
        third, _ = await stage.join(TICKER, s="BTCUSDT")
        await third.heard(1)
        await settled()

        assert (first.prices(), second.prices(), third.prices()) == (["1"], ["1"], ["2"])
        assert first.ends == second.ends == []
        assert len(stage.live.open) == 1
        assert stage.groups.counters.members == 1


async def test_watchlists_join_one_group_per_symbol():
    async with running(BTC, ETH) as stage:
        one, _ = await stage.join(WATCH, i=refs("BTCUSDT", "ETHUSDT"))
        other, _ = await stage.join(WATCH, i=refs("SOLUSDT", "BTCUSDT", "BTCUSDT"))
        await one.heard(2)
        stage.live.push(repriced(BTC, "2"))
        await one.heard(3)
        await other.heard(2)

        assert sorted(one.prices()) == ["1", "2", "7"]
        assert other.prices() == ["1", "2"]
        assert [f.topic.instrument.symbol for f in stage.live.watched] == [
            "BTCUSDT", "ETHUSDT", "SOLUSDT",
        ]  # fmt: skip
        assert len({value.key for value in one.encoded}) == 2


@pytest.mark.parametrize(
    ("instruments", "code"),
    [
        (refs("BTCUSDT", "NOPE"), "UNKNOWN_INSTRUMENT"),
        (refs("NOPE"), "UNKNOWN_INSTRUMENT"),
        ([], "BAD_INPUT"),
        (refs(*(f"A{n}" for n in range(101))), "TOO_MANY_INSTRUMENTS"),
    ],
)
async def test_a_watchlist_is_refused_as_it_is_unshared(instruments: Any, code: str):
    async with running(BTC) as stage:
        sink = Remembering()
        refused = await stage.try_join(sink, WATCH, i=instruments)
        unshared: Any = await SCHEMA.stream(
            WATCH, variable_values={"i": instruments}, context_value=stage.context()
        )
        [expected] = [result async for result in unshared]

        assert isinstance(refused, Refused)
        assert [e.formatted for e in refused.errors] == [e.formatted for e in expected.errors]
        assert expected.errors[0].extensions["code"] == code
        await settled()
        assert (sink.values, sink.ends, stage.live.open) == ([], [], [])
        assert stage.groups.counters.groups == stage.groups.counters.members == 0


async def test_errors_point_into_the_document_of_whoever_reads_them():
    async with running() as stage:
        sink, more = Remembering(), Remembering()
        text = TICKER.replace("{ ticker", "{\n\n  ticker")
        found = await asyncio.gather(
            stage.try_join(sink, TICKER, s="NOPE"), stage.try_join(more, text, s="NOPE")
        )

        assert [r.errors[0].locations[0].line for r in found] == [1, 3]
        assert [r.errors[0].path for r in found] == [["ticker"], ["ticker"]]


async def test_a_group_that_fails_ends_all_its_members_and_is_not_joined_again():
    async with running(BTC, ETH) as stage:
        joined = [await stage.join(TICKER, s="BTCUSDT") for _ in range(3)]
        watching, _ = await stage.join(WATCH, i=refs("BTCUSDT", "ETHUSDT"))
        for sink, _ in joined:
            await sink.heard(1)
        stage.live.end("BTCUSDT", RuntimeError("gone"))
        endings = [await sink.ended() for sink, _ in [*joined, (watching, None)]]

        assert endings == [[{"message": "shown", "extensions": {"code": "SHOWN"}}]] * 4
        assert [str(e.original_error) for e in stage.presented] == ["gone", "gone"]  # per group
        await settled()
        assert stage.live.open == []
        again, _ = await stage.join(TICKER, s="BTCUSDT")
        assert await again.heard(1) == [{"data": {"ticker": {"lastPrice": "1"}}}]
        assert all(len(sink.ends) == 1 for sink, _ in joined)


async def test_a_stream_that_ends_completes_when_all_its_parts_have():
    async with running(BTC, ETH) as stage:
        sink, _ = await stage.join(WATCH, i=refs("BTCUSDT", "ETHUSDT"))
        await sink.heard(2)
        stage.live.end("BTCUSDT")
        await settled()
        assert sink.ends == []
        stage.live.end("ETHUSDT")

        assert await sink.ended() is None
        assert stage.groups.counters.members == 0


async def test_a_final_value_is_marked_whatever_the_client_selects():
    made = candle("BTCUSDT", "1", confirmed=True)
    text = """subscription { candles(interval: MINUTE_1,
      instrument: {category: LINEAR, symbol: "BTCUSDT"}) { closePrice } }"""
    async with running(made) as stage:
        sink, _ = await stage.join(text)
        stage.live.push(candle("BTCUSDT", "2", minute=1))
        await sink.heard(2)

        assert [value.final for value in sink.encoded] == [True, False]


async def test_limits_refuse_what_is_new_and_nothing_else():
    async with running(BTC, limits=GroupLimits(groups=3)) as stage:
        caller, other = Caller(groups_max=2), Caller()
        _, first = await stage.join(TICKER, caller, s="BTCUSDT")
        await stage.join(TICKER, caller, s="ETHUSDT")
        await stage.join(TICKER, caller, s="BTCUSDT")
        sink = Remembering()

        assert await stage.try_join(sink, TICKER, caller, s="SOLUSDT") == TooManyGroups(
            2, whose=caller
        )
        await stage.join(TICKER, other, s="SOLUSDT")
        whole = TICKER.replace("lastPrice", "symbol")
        assert await stage.try_join(sink, whole, Caller(), s="SOLUSDT") == TooManyGroups(3)
        await stage.join(TICKER, Caller(), s="SOLUSDT")
        assert stage.groups.counters.refused == 2
        first.leave()
        assert len(caller.held) == 2
        assert (sink.values, sink.ends) == ([], [])


async def test_what_one_owner_may_have_is_counted_over_all_their_connections():
    callers = Callers(of_connection_max=2, of_owner_max=3)
    mine, also_mine = callers.connection(ANA, "192.0.2.1"), callers.connection(ANA, "192.0.2.2")
    a_stranger = callers.connection(ANONYMOUS, "192.0.2.1")
    async with running(BTC) as stage:
        _, first = await stage.join(TICKER, mine, s="BTCUSDT")
        await stage.join(TICKER, mine, s="ETHUSDT")
        await stage.join(TICKER, also_mine, s="SOLUSDT")
        sink = Remembering()

        # What the owner follows already costs nothing more, whichever connection asks for it.
        await stage.join(TICKER, also_mine, s="BTCUSDT")
        whole = TICKER.replace("lastPrice", "symbol")
        third = callers.connection(ANA, "192.0.2.3")
        assert await stage.try_join(sink, whole, third, s="SOLUSDT") == TooManyGroups(
            3, whose=mine.owner
        )
        await stage.join(whole, a_stranger, s="SOLUSDT")
        first.leave()
        await stage.join(TICKER, third, s="ETHUSDT")
        assert len(mine.held) == 1
        assert len(also_mine.held) == 2
        assert mine.owner is also_mine.owner is third.owner is not None
        assert len(third.owner.held) == 3
        assert (sink.values, sink.ends) == ([], [])


def test_owners_are_forgotten_with_their_last_connection():
    callers = Callers()
    first = callers.connection(ANONYMOUS, "192.0.2.1")
    assert callers.connection(ANONYMOUS, "192.0.2.1").owner is first.owner
    assert callers.connection(ANONYMOUS, "192.0.2.2").owner is not first.owner
    assert len(callers) == 1
    del first
    assert len(callers) == 0


async def test_leaving_the_groups_ends_what_runs():
    async with running(BTC) as stage:
        sink, _ = await stage.join(TICKER, s="BTCUSDT")
        await sink.heard(1)

    assert stage.groups.counters.groups == 0
    with pytest.raises(RuntimeError, match="only while they are entered"):
        await stage.join(TICKER, s="BTCUSDT")


async def test_a_join_that_is_cancelled_leaves_nothing():
    async with running(BTC) as stage:
        joining = asyncio.ensure_future(stage.join(WATCH, i=refs("BTCUSDT", "ETHUSDT")))
        while not stage.groups.counters.members:  # noqa: ASYNC110  # a few turns of the loop
            await asyncio.sleep(0)
        joining.cancel()
        await asyncio.wait([joining])
        await settled()

        assert joining.cancelled()
        assert stage.groups.counters.members == stage.groups.counters.groups == 0


# Two viewers can never meet.

ANNA = Viewer(UserId(UUID(int=1)))
BERT = Viewer(UserId(UUID(int=2)))


WHISPERED: ContextVar[str | None] = ContextVar("whispered", default=None)


class Seen:
    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer


@strawberry.type
class Secret:
    owner: str

    @strawberry.field(metadata={"policy": FieldPolicy(Audience.ANYONE, shared=True)})
    def asked_by(self, info: strawberry.Info[Any, None]) -> str:
        """A field whose author was wrong to call it shareable."""
        return str(info.context.viewer.user_id or WHISPERED.get())

    @strawberry.field
    def correlation_id(self) -> str:
        return correlation.current().id


async def secrets(info: strawberry.Info[Any, None]) -> AsyncGenerator[Secret, None]:
    while True:
        yield Secret(owner=str(info.context.viewer.user_id))
        await asyncio.sleep(0)


def secret_groups(policy: FieldPolicy) -> tuple[Planner, Groups]:
    @strawberry.type
    class Query:
        nothing: int = 0

    @strawberry.type
    class Subscription:
        secret: AsyncGenerator[Secret, None] = strawberry.subscription(
            resolver=secrets, metadata={"policy": policy}
        )

    execution = Execution(strawberry.Schema(Query, subscription=Subscription))
    groups = Groups(execution, nobody=lambda: Seen(ANONYMOUS), present=list)  # type: ignore[arg-type]
    return Planner(execution), groups


async def read_by(viewer: Viewer, planner: Planner, groups: Groups, text: str) -> set[str]:
    sink = Remembering()
    plan = await planner.plan(text, None, None, Seen(viewer))
    assert plan is not None
    member = await groups.join(plan, sink, caller=Caller(), context=Seen(viewer))
    assert isinstance(member, Membership)
    values = await sink.heard(30)
    return {value for read in values for value in read["data"]["secret"].values()}


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (FieldPolicy(Audience.SIGNED_IN), "owner"),
        (FieldPolicy(Audience.ANYONE), "owner"),
        (FieldPolicy(Audience.ANYONE, shared=True), "owner correlationId"),
    ],
)
async def test_two_viewers_never_meet_in_one_group(policy: FieldPolicy, field: str):
    planner, groups = secret_groups(policy)
    correlation.begin("of-this-test")
    async with groups:
        text = f"subscription {{ secret {{ {field} }} }}"
        anna, bert, again = [
            await read_by(viewer, planner, groups, text) for viewer in (ANNA, BERT, ANNA)
        ]

        own = {"of-this-test"} if "correlationId" in field else set()
        assert anna == again == {str(ANNA.user_id)} | own
        assert bert == {str(BERT.user_id)} | own
        assert groups.counters.groups == 3
        assert groups._shared == {}


async def test_what_is_shared_is_executed_for_nobody():
    planner, groups = secret_groups(FieldPolicy(Audience.ANYONE, shared=True))
    WHISPERED.set("to the first who came")
    async with groups:
        found = [
            await read_by(viewer, planner, groups, "subscription { secret { owner askedBy } }")
            for viewer in (ANNA, BERT)
        ]

        assert found == [{"None"}, {"None"}]
        assert groups.counters.groups == 1
