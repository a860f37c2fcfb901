"""An operation that takes too long is cancelled, and nothing of it goes on."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import pytest
import strawberry
from strawberry.types.execution import ExecutionResult

from adapters.gateway.deadline import OperationTimeout, deadline, deadline_extension
from adapters.gateway.errors import judge
from adapters.telemetry import Outcome


@dataclass
class Work:
    """What the resolvers of a test went through."""

    begun: list[str] = field(default_factory=list)
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: list[str] = field(default_factory=list)

    async def endless(self, name: str) -> str:
        self.begun.append(name)
        self.started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(name)
            raise
        return name


def slow_schema(work: Work, seconds: float) -> strawberry.Schema:
    @strawberry.type
    class Child:
        @strawberry.field
        async def slow(self, name: str) -> str:
            return await work.endless(name)

    @strawberry.type
    class Query:
        @strawberry.field
        async def slow(self, name: str) -> str:
            return await work.endless(name)

        @strawberry.field
        def children(self) -> list[Child]:
            return [Child(), Child()]

        @strawberry.field
        def fast(self) -> str:
            return "fast"

        @strawberry.field
        async def impatient(self) -> str:
            raise TimeoutError("the resolver's own")

    @strawberry.type
    class Subscription:
        @strawberry.subscription
        async def patient(self) -> AsyncGenerator[int, None]:
            await asyncio.sleep(seconds * 3)
            yield 1

    return strawberry.Schema(
        Query, subscription=Subscription, extensions=[deadline_extension(seconds)]
    )


async def test_resolvers_and_their_siblings_are_cancelled() -> None:
    work = Work()
    schema = slow_schema(work, 0.05)

    result = await schema.execute(
        '{ fast a: slow(name: "a") b: slow(name: "b") children { slow(name: "c") } }'
    )

    assert sorted(work.cancelled) == sorted(work.begun) == ["a", "b", "c", "c"]
    assert result.data is None
    assert result.errors is not None
    [error] = result.errors
    verdict = judge(error, before_execution=True, suggestions=True)
    assert (verdict.code, verdict.outcome) == ("OPERATION_TIMEOUT", Outcome.FAILURE)
    assert verdict.message.startswith("The operation took longer than 0.05 seconds")


async def test_a_socket_operation_has_the_same_deadline() -> None:
    work = Work()
    stream = await slow_schema(work, 0.05).stream('{ slow(name: "a") }')

    [result] = [result async for result in stream]

    assert isinstance(result, ExecutionResult)
    assert result.errors is not None
    assert isinstance(result.errors[0].original_error, OperationTimeout)
    assert work.cancelled == ["a"]


async def test_a_stream_may_wait_for_its_first_event_as_long_as_it_likes() -> None:
    stream = await slow_schema(Work(), 0.05).stream("subscription { patient }")

    results = [result async for result in stream]

    assert [getattr(result, "data", None) for result in results] == [{"patient": 1}]


async def test_in_time_nothing_is_changed() -> None:
    result = await slow_schema(Work(), 5).execute("{ fast }")

    assert (result.data, result.errors) == ({"fast": "fast"}, None)


async def test_a_timeout_of_the_work_is_not_ours() -> None:
    with pytest.raises(TimeoutError):
        async with deadline(5):
            raise TimeoutError("a resolver's own")


async def test_a_client_that_leaves_cancels_and_is_not_a_timeout() -> None:
    work = Work()
    schema = slow_schema(work, 30)

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(schema.execute('{ slow(name: "a") }'))
        await work.started.wait()
        asking.cancel()

    assert asking.cancelled()
    assert work.cancelled == ["a"]
