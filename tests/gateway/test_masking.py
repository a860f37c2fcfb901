"""No exception's text reaches a client, over any transport; every error has its shape."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tests.gateway.conftest import Logs, World
from tests.gateway.product import CANARY

Ask = Callable[[World, str, object], Awaitable[dict[str, Any]]]
INTERNAL = "Something went wrong on our side. Quote the correlation id when you report it."


def provoking(value: Any, kind: str) -> Any:
    """A row of a table; what nobody expected is logged with its traceback."""
    marks = [pytest.mark.provokes(CANARY)] if kind in {"bug", "unmarked"} else []
    return pytest.param(value, marks=marks)


@dataclass(frozen=True)
class Raised:
    """What a resolver raises and what a client must read."""

    kind: str
    code: str
    message: str
    retryable: bool = False
    retry_after_ms: int | None = None
    level: str | None = "warning"


@dataclass(frozen=True)
class Refused:
    """A request that never runs, and why."""

    query: str
    code: str
    message: str
    variables: object = None


AWAY = "The exchange cannot be reached right now. Try again shortly."
RAISED = [
    Raised("unavailable", "UNAVAILABLE", AWAY, retryable=True, retry_after_ms=1500),
    Raised("group", "UNAVAILABLE", AWAY, retryable=True),
    Raised(
        "timed_out",
        "TIMED_OUT",
        "The database did not answer in time. Try again shortly.",
        retryable=True,
    ),
    Raised(
        "conflict",
        "CONFLICT",
        "Somebody else changed this at the same moment. Read it again and retry.",
        retryable=True,
    ),
    Raised("rejected", "UPSTREAM_REJECTED", "The exchange refused the request."),
    Raised("user", "UNKNOWN_INSTRUMENT", "There is no XYZ.", level=None),
    Raised("unmarked", "INTERNAL", INTERNAL, level="error"),
    Raised("bug", "INTERNAL", INTERNAL, level="error"),
]

REFUSED = [
    Refused("{ hello(", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
    Refused(
        "{ helo }",
        "GRAPHQL_VALIDATION_FAILED",
        "Cannot query field 'helo' on type 'Query'. Did you mean 'hello' or 'hold'?",
    ),
    Refused(
        "query($n: String!) { hello(name: $n) }",
        "BAD_USER_INPUT",
        "Variable '$n' has invalid value: String cannot represent a non string value: 1",
        {"n": 1},
    ),
    Refused(
        'query($n: String = "x") { hello(name: $n) }',
        "BAD_USER_INPUT",
        "Argument 'name' has invalid value: "
        "Expected variable '$n' provided to non-null type 'String!' not to be None.",
        {"n": None},
    ),
    *(
        Refused("query($g: Guest!) { invite(guest: $g) }", "BAD_USER_INPUT", message, {"g": guest})
        for guest, message in (
            ({}, "OneOf Input Object 'Guest' must specify exactly one key."),
            (
                {"email": "a@b.c", "phone": "1"},
                "OneOf Input Object 'Guest' must specify exactly one key.",
            ),
            ({"email": None}, "Value for member field 'email' must be non-null"),
        )
    ),
    Refused(
        "{ invite(guest: {}) }",
        "GRAPHQL_VALIDATION_FAILED",
        "OneOf Input Object 'Guest' must specify exactly one key.",
    ),
]


async def over_http(world: World, query: str, variables: object = None) -> dict[str, Any]:
    return await world.ask(query, variables=variables)


async def over_socket(world: World, query: str, variables: object = None) -> dict[str, Any]:
    payload = {"query": query, "variables": variables}
    async with world.socket() as ws:
        await ws.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        frame = orjson.loads(await ws.recv())
    return frame["payload"] if frame["type"] == "next" else {"errors": frame["payload"]}


@pytest.mark.parametrize("transport", [over_http, over_socket])
@pytest.mark.parametrize(
    "case", [provoking(case, case.kind) for case in RAISED], ids=lambda c: c.kind
)
async def test_what_a_resolver_raises(
    shared: World, logs: Logs, transport: Ask, case: Raised
) -> None:
    query = "query($k: String!) { boom(kind: $k) }"
    result = await transport(shared, query, {"k": case.kind})

    [error] = result["errors"]
    extensions = error["extensions"]
    assert error["message"] == case.message
    assert error["path"] == ["boom"]
    assert error["locations"] == [{"line": 1, "column": 22}]
    assert (extensions["code"], extensions["retryable"]) == (case.code, case.retryable)
    assert extensions.get("retryAfterMs") == case.retry_after_ms
    assert extensions.get("near") == (["BTCUSDT"] if case.kind == "user" else None)
    assert "userError" not in extensions
    assert CANARY not in str(result)
    written = [e for e in logs.events() if e["correlation_id"] == extensions["correlationId"]]
    assert [line["level"] for line in written] == ([case.level] if case.level else [])
    if case.kind == "bug":
        assert written[0]["exception"].count("Traceback (most recent call last)") == 1


@pytest.mark.parametrize("transport", [over_http, over_socket])
@pytest.mark.parametrize("case", REFUSED, ids=lambda c: c.code)
async def test_what_the_request_is_to_blame_for(
    shared: World, logs: Logs, transport: Ask, case: Refused
) -> None:
    result = await transport(shared, case.query, case.variables)

    [error] = result["errors"]
    assert (error["message"], error["extensions"]["code"]) == (case.message, case.code)
    assert "correlationId" in error["extensions"]
    assert logs.events() == []


async def test_a_null_where_none_may_be_is_our_bug(shared: World) -> None:
    result = await shared.ask("{ must }")

    assert result["data"] is None
    assert result["errors"][0]["message"] == INTERNAL


@pytest.mark.parametrize(
    "kind", [provoking(kind, kind) for kind in ("bug", "unmarked", "unavailable", "user")]
)
async def test_a_stream_that_breaks_in_the_middle(shared: World, logs: Logs, kind: str) -> None:
    payload = {"query": f'subscription {{ count(to: 1, fails: "{kind}") }}'}
    async with shared.socket() as ws:
        await ws.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        frames = [orjson.loads(await ws.recv()) for _ in range(3)]

    assert [f["type"] for f in frames] == ["next", "next", "complete"]
    [error] = frames[1]["payload"]["errors"]
    code = {"unavailable": "UNAVAILABLE", "user": "UNKNOWN_INSTRUMENT"}.get(kind, "INTERNAL")
    assert error["extensions"]["code"] == code
    assert CANARY not in str(frames)
    crashed = logs.events("operation_crashed")
    assert len(crashed) == (1 if code == "INTERNAL" else 0)


async def test_a_stream_that_breaks_at_the_start(shared: World) -> None:
    result = await over_socket(shared, "subscription { brokenStart }")

    assert result["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert CANARY not in str(result)


async def test_only_the_first_few_of_many_validation_errors_are_shown(shared: World) -> None:
    result = await shared.ask("{ " + " ".join(f"x{n}" for n in range(15)) + " }")

    assert len(result["errors"]) == 5


async def test_a_document_of_comments_costs_no_more_than_its_length(shared: World) -> None:
    # The type for the metrics was found by a pattern that tried 2^n ways through n `#`.
    async with asyncio.timeout(5):
        result = await over_socket(shared, "#" * 30_000)

    assert result["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"
