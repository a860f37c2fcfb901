"""Ids in, through and out; what is malformed is replaced, never echoed."""

import asyncio
import re

import pytest

from adapters.telemetry import correlation, outgoing_headers

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def test_a_well_formed_caller_is_continued() -> None:
    started = correlation.begin("caller_1.retry-2", f"00-{TRACE}-{SPAN}-01")

    assert started.id == "caller_1.retry-2"
    assert started.trace_id == TRACE
    assert started.span_id != SPAN
    assert started.sampled
    assert outgoing_headers() == {
        "x-correlation-id": "caller_1.retry-2",
        "traceparent": f"00-{TRACE}-{started.span_id}-01",
    }


@pytest.mark.parametrize(
    "traceparent",
    [
        None,
        "",
        "garbage",
        f"01-{TRACE}-{SPAN}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-01-extra",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_an_invalid_traceparent_starts_a_trace(traceparent: str | None) -> None:
    started = correlation.begin(None, traceparent)

    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", started.traceparent)
    assert started.trace_id != TRACE


@pytest.mark.parametrize(
    "bad", [None, "", "short-7", "x" * 65, "with space", "ünïcode-id", "a\nb-c-d-e"]
)
def test_a_malformed_correlation_id_is_replaced(bad: str | None) -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", correlation.begin(bad).id)


def test_operations_of_a_socket_lead_back_to_it() -> None:
    socket = correlation.begin("s" * 64)
    operation = correlation.begin_operation(socket, 12)

    assert operation.id == "s" * 56 + ".12"
    assert operation.trace_id == socket.trace_id
    assert operation.span_id != socket.span_id


async def test_concurrent_requests_do_not_mix() -> None:
    async def request(name: str) -> str:
        correlation.begin(name)
        await asyncio.sleep(0)
        return correlation.current().id

    names = [f"request-{number:04}" for number in range(20)]
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(request(name)) for name in names]

    assert [task.result() for task in running] == names
