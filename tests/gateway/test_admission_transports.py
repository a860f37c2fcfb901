"""Admission and deadline where clients meet them: the same words over HTTP and the socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
import pytest

from adapters.gateway.negotiation import MODERN_MEDIA_TYPE
from tests.gateway.conftest import Logs, World, serving

Ask = Callable[..., Awaitable[dict[str, Any]]]
MODERN = {"accept": MODERN_MEDIA_TYPE}


@pytest.fixture(scope="module")
async def strict() -> AsyncIterator[World]:
    async with serving(
        document_depth_max=2,
        document_aliases_max=1,
        list_items_max=3,
        operation_deadline_seconds=0.2,
    ) as world:
        yield world


async def over_http(world: World, query: str, **more: Any) -> dict[str, Any]:
    answer = await world.client.post("/graphql", json={"query": query, **more}, headers=MODERN)
    found: dict[str, Any] = answer.json()
    if "data" not in found:
        assert answer.status_code in {400, 504}
    return found


async def over_socket(world: World, query: str, **more: Any) -> dict[str, Any]:
    payload = {"query": query, **more}
    async with world.socket() as ws:
        await ws.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        frame = orjson.loads(await ws.recv())
    return frame["payload"] if frame["type"] == "next" else {"errors": frame["payload"]}


both = pytest.mark.parametrize("ask", [over_http, over_socket])


@both
async def test_a_limit_names_itself(strict: World, logs: Logs, ask: Ask) -> None:
    result = await ask(strict, "{ a: hello b: hello }")

    [error] = result["errors"]
    extensions = error["extensions"]
    assert error["message"].endswith("1 allowed, 2 or more found.")
    assert extensions.pop("correlationId")
    assert extensions == {
        "code": "DOCUMENT_LIMIT_EXCEEDED",
        "limit": "aliases",
        "allowed": 1,
        "found": 2,
        "retryable": False,
    }
    assert "data" not in result
    assert logs.events() == []


@both
async def test_variables_are_bounded_for_a_known_document_too(strict: World, ask: Ask) -> None:
    query = "query($n: String!) { hello(name: $n) }"

    good = await ask(strict, query, variables={"n": "you"})
    long = await ask(strict, query, variables={"n": [1, 2, 3, 4]})
    nul = await ask(strict, query, variables={"n": "\0"})

    assert good == {"data": {"hello": "hello you"}}
    assert long["errors"][0]["extensions"]["limit"] == "list_items"
    assert nul["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


@both
@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("query A { hello } query B { hello }", None, "several operations"),
        ("query A { hello } query B { hello }", "C", 'no operation named "C"'),
        ("{ hello }", "A", 'no operation named "A"'),
        ("query A { hello }", "", 'no operation named ""'),
    ],
)
async def test_which_operation_to_run_is_never_guessed(
    shared: World, logs: Logs, ask: Ask, query: str, name: str | None, words: str
) -> None:
    result = await ask(shared, query, operationName=name)

    [error] = result["errors"]
    assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    assert words in error["message"]
    assert logs.events() == []


@both
async def test_the_named_operation_runs(shared: World, ask: Ask) -> None:
    query = 'query A { hello } query B { hello(name: "b") }'

    assert await ask(shared, query, operationName="B") == {"data": {"hello": "hello b"}}
    assert await ask(shared, query, operationName="A") == {"data": {"hello": "hello you"}}


@both
async def test_an_operation_past_its_deadline(strict: World, logs: Logs, ask: Ask) -> None:
    result = await ask(strict, "{ hello hold }")

    [error] = result["errors"]
    assert error["extensions"]["code"] == "OPERATION_TIMEOUT"
    assert error["extensions"]["retryable"] is True
    assert error["message"].startswith("The operation took longer than 0.2 seconds")
    [line] = logs.events()
    assert (line["event"], line["level"], line["code"]) == (
        "operation_failed",
        "warning",
        "OPERATION_TIMEOUT",
    )
    assert "Traceback" not in logs.text


async def test_plain_json_reads_a_timeout_behind_a_200(strict: World) -> None:
    answer = await strict.client.post("/graphql", json={"query": "{ hold }"})

    assert (answer.status_code, set(answer.json())) == (200, {"errors"})


async def test_a_stream_outlives_the_deadline(strict: World) -> None:
    payload = {"query": "subscription { count(to: 4, every: 0.15) }"}
    async with strict.socket() as ws:
        await ws.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        frames = [orjson.loads(await ws.recv()) for _ in range(5)]

    assert [frame["type"] for frame in frames] == ["next"] * 4 + ["complete"]


async def test_a_long_echo_is_cut(shared: World) -> None:
    result = await shared.ask("{ hello(mood: " + "X" * 5000 + ") }")

    [error] = result["errors"]
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert len(error["message"]) < 600


async def test_wrong_variables_are_told_a_few_at_a_time(shared: World) -> None:
    names = [f"v{n}" for n in range(12)]
    declared = ", ".join(f"${name}: String!" for name in names)
    used = " ".join(f"a{name}: hello(name: ${name})" for name in names)

    result = await shared.ask(f"query({declared}) {{ {used} }}", variables={})

    assert len(result["errors"]) == 5
    assert {e["extensions"]["code"] for e in result["errors"]} == {"BAD_USER_INPUT"}


async def test_many_at_once_are_each_their_own(shared: World) -> None:
    asked = [
        shared.ask("query($n: String!) { hello(name: $n) }", variables={"n": str(n)})
        for n in range(40)
    ]

    results = await asyncio.gather(*asked)

    assert [r["data"]["hello"] for r in results] == [f"hello {n}" for n in range(40)]
