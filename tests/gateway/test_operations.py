"""One operation, whoever carries it: answers, refusals, deadlines, and an end that is the end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, cast

import pytest
import strawberry

from adapters.gateway.deadline import deadline_extension
from adapters.gateway.desk import ConnectionInfo, OperationDesk, Transport, nobody
from adapters.gateway.operations import (
    READING,
    Answer,
    MalformedRequest,
    OperationRequest,
    OperationRunner,
    request_of,
)
from adapters.telemetry import Metrics, NullErrorReporter, correlation
from domain.kernel.viewer import ANONYMOUS

DEADLINE_SECONDS = 0.1


class Tap:
    """What the schema's streams tell of themselves."""

    def __init__(self) -> None:
        self.open = 0
        self.asked = 0
        self.entered = asyncio.Event()


async def hang(info: strawberry.Info[Tap, None]) -> str:
    info.context.entered.set()
    await asyncio.Event().wait()
    return "never"


async def numbers(
    info: strawberry.Info[Tap, None], every: float = 0.0
) -> AsyncGenerator[int, None]:
    info.context.open += 1
    try:
        while True:
            info.context.asked += 1
            yield info.context.asked
            await asyncio.sleep(every)
    finally:
        info.context.open -= 1


@strawberry.type
class Query:
    hang: str = strawberry.field(resolver=hang)

    @strawberry.field
    def one(self) -> int:
        return 1


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> int:
        return 1


@strawberry.type
class Subscription:
    numbers: AsyncGenerator[int, None] = strawberry.subscription(resolver=numbers)


@pytest.fixture
def tap() -> Tap:
    return Tap()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(role="web")


@pytest.fixture
def runner(tap: Tap, metrics: Metrics) -> OperationRunner:
    schema = strawberry.Schema(
        Query, Mutation, Subscription, extensions=[deadline_extension(DEADLINE_SECONDS)]
    )
    desk = OperationDesk(
        context=lambda _viewer, _connection: tap,
        identify=nobody,
        metrics=metrics,
        reporter=NullErrorReporter(),
        suggestions=True,
    )
    return OperationRunner(schema, desk)


def run(runner: OperationRunner, query: str | None, **more: Any) -> AsyncGenerator[Answer, None]:
    info = ConnectionInfo(Transport.SSE, correlation.begin(), "192.0.2.1", {})
    return runner.run(OperationRequest(query), info, ANONYMOUS, **more)


async def all_of(answers: AsyncGenerator[Answer, None]) -> list[Answer]:
    return [answer async for answer in answers]


def code_of(answer: Answer) -> str:
    [error] = cast("list[Any]", answer.errors)
    return str(error["extensions"]["code"])


async def test_a_query_has_one_answer(runner: OperationRunner) -> None:
    assert await all_of(run(runner, "{ one }")) == [Answer({"data": {"one": 1}})]


async def test_a_query_past_its_deadline_is_refused_and_counted(
    runner: OperationRunner, metrics: Metrics
) -> None:
    [answer] = await all_of(run(runner, "{ hang }"))

    assert answer.refused
    assert code_of(answer) == "OPERATION_TIMEOUT"
    counted = 'okd_graphql_operations_total{operation="-",outcome="failure",type="query"} 1.0'
    assert counted in metrics.exposition().decode()


async def test_a_stream_outlives_the_deadline(runner: OperationRunner, tap: Tap) -> None:
    async with aclosing(run(runner, "subscription { numbers(every: 0.02) }")) as answers:
        seen = [answer.payload async for _, answer in azip(range(10), answers)]

    assert seen == [{"data": {"numbers": number}} for number in range(1, 11)]
    assert tap.open == 0


async def azip(
    counted: range, answers: AsyncGenerator[Answer, None]
) -> AsyncGenerator[tuple[int, Answer], None]:
    for number in counted:
        yield number, await anext(answers)


async def test_a_value_is_asked_for_when_the_caller_asks(runner: OperationRunner, tap: Tap) -> None:
    async with aclosing(run(runner, "subscription { numbers }")) as answers:
        for expected in range(1, 4):
            await anext(answers)
            await asyncio.sleep(0)
            assert tap.asked == expected
        assert tap.open == 1

    assert tap.open == 0


async def test_an_operation_that_is_cancelled_is_cancelled(
    runner: OperationRunner, tap: Tap, metrics: Metrics
) -> None:
    running = asyncio.ensure_future(all_of(run(runner, "{ hang }")))
    await tap.entered.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert "okd_graphql_operations_total{" in metrics.exposition().decode()


async def test_what_may_only_read_does_not_write(runner: OperationRunner) -> None:
    [answer] = await all_of(run(runner, "mutation { touch }", types=READING))

    assert answer.refused
    assert code_of(answer) == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("document_id", "code"),
    [("sha256:0", "PERSISTED_QUERY_NOT_FOUND"), (None, "PERSISTED_QUERY_NOT_SUPPORTED")],
)
async def test_a_document_by_name_is_not_known(
    runner: OperationRunner, document_id: str | None, code: str
) -> None:
    info = ConnectionInfo(Transport.SSE, correlation.begin(), "192.0.2.1", {})
    wanted = OperationRequest(None, document_id=document_id)
    [answer] = await all_of(runner.run(wanted, info, ANONYMOUS))

    assert answer.refused
    assert "data" not in answer.payload
    assert code_of(answer) == code


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"query": None}, {"query": []}])
def test_what_is_no_request_says_why(payload: object) -> None:
    with pytest.raises(MalformedRequest, match=r"^The request must|^query must be a string$"):
        request_of(payload)
