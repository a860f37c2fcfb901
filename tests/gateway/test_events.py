"""GraphQL over SSE: distinct connections, as graphql-sse's PROTOCOL.md has them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest

from adapters.gateway.events import wants_events
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.product import CANARY
from tests.world import eventually

EVENTS = {"accept": "text/event-stream"}
COUNT = "subscription { count(to: 3) }"
ENDLESS = "subscription { count(to: 1000000, every: 0.005) }"

Event = tuple[str, Any]


@asynccontextmanager
async def stream(
    world: World, query: str, *, method: str = "POST", headers: dict[str, str] | None = None
) -> AsyncIterator[httpx.Response]:
    sent: dict[str, Any] = {"params" if method == "GET" else "json": {"query": query}}
    async with world.client.stream(
        method, "/graphql", headers={**EVENTS, **(headers or {})}, timeout=10, **sent
    ) as answer:
        yield answer


async def events_of(answer: httpx.Response) -> list[Event]:
    return [event async for event in each_event(answer)]


async def each_event(answer: httpx.Response) -> AsyncIterator[Event]:
    kind, data = "", ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(":")
        if name == "event":
            kind = value.strip()
        elif name == "data":
            data = value.strip()
        elif not line and kind:
            yield kind, orjson.loads(data) if data else None
            kind, data = "", ""


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_subscription_is_a_stream_of_next_and_a_complete(
    shared: World, method: str
) -> None:
    async with stream(shared, COUNT, method=method) as answer:
        events = await events_of(answer)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in answer.headers
    values: list[Event] = [("next", {"data": {"count": number}}) for number in range(3)]
    assert events == [*values, ("complete", None)]


async def test_queries_and_mutations_are_a_stream_of_one(shared: World) -> None:
    for query, data in (("{ transport }", {"transport": "sse"}), ("mutation { touch }", None)):
        async with stream(shared, query) as answer:
            events = await events_of(answer)
        assert events == [("next", {"data": data or {"touch": "touched"}}), ("complete", None)]


async def test_get_reads_and_never_writes(shared: World) -> None:
    async with stream(shared, "mutation { touch }", method="GET") as answer:
        [(kind, refused), end] = await events_of(answer)

    assert (kind, end) == ("next", ("complete", None))
    assert "data" not in refused
    assert refused["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_variables_and_the_rest_arrive_by_get(shared: World) -> None:
    parameters = {
        "query": "query A { transport } query B($n: String!) { hello(name: $n) }",
        "operationName": "B",
        "variables": '{"n":"Ada"}',
        "extensions": "{}",
    }
    answer = await shared.client.get("/graphql", params=parameters, headers=EVENTS)

    assert 'data: {"data":{"hello":"hello Ada"}}' in answer.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello(", "GRAPHQL_PARSE_FAILED"),
        ("{ helo }", "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: String!) { hello(name: $n) }", "BAD_USER_INPUT"),
        ("{ boom(kind: 1) }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { brokenStart }", "INTERNAL"),
    ],
)
async def test_what_is_wrong_with_the_operation_is_told_in_the_stream(
    shared: World, query: str, code: str
) -> None:
    async with stream(shared, query) as answer:
        events = await events_of(answer)

    assert answer.status_code == 200
    [(kind, payload), end] = events
    assert (kind, end) == ("next", ("complete", None))
    assert payload["errors"][0]["extensions"]["code"] == code
    assert CANARY not in str(events)


@pytest.mark.parametrize(
    "sent",
    [
        {"content": b"{"},
        {"content": b"\xff\xfe"},
        {"content": b"[" * 10_000},
        {"json": None},
        {"json": [{"query": COUNT}]},
        {"json": {}},
        {"json": {"query": 1}},
        {"json": {"query": COUNT, "variables": []}},
        {"params": {"query": COUNT, "variables": "{"}, "method": "GET"},
    ],
    ids=str,
)
async def test_a_request_without_an_operation_is_an_http_error(
    shared: World, logs: Logs, sent: dict[str, Any]
) -> None:
    method = sent.get("method", "POST")
    headers = {"content-type": "application/json", **EVENTS, **sent.get("headers", {})}
    more = {name: sent[name] for name in ("content", "json", "params") if name in sent}
    if "json" in more:
        more = {"content": orjson.dumps(more["json"])}
    answer = await shared.client.request(method, "/graphql", headers=headers, **more)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert "Traceback" not in logs.text


async def test_a_body_that_a_foreign_form_could_send_is_not_read(shared: World) -> None:
    answer = await shared.client.post(
        "/graphql",
        content=orjson.dumps({"query": COUNT}),
        headers={"content-type": "text/plain", **EVENTS},
    )

    assert answer.status_code == 415


async def test_an_unknown_document_is_told_in_the_stream(shared: World) -> None:
    answer = await shared.client.post("/graphql", json={"documentId": "sha256:0"}, headers=EVENTS)

    assert "PERSISTED_QUERY_NOT_FOUND" in answer.text
    assert answer.text.endswith("event: complete\ndata:\n\n")


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_pages_of_other_sites_get_no_stream(shared: World, method: str) -> None:
    foreign = [{"origin": "https://evil.example"}]
    if method == "GET":  # what `fetch` sends with `mode: "no-cors"`
        foreign += [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}]
    for headers in foreign:
        async with stream(shared, COUNT, method=method, headers=headers) as answer:
            await answer.aread()
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["extensions"]["code"] == "ORIGIN_FORBIDDEN"
    for headers in ({"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}):
        async with stream(shared, COUNT, method=method, headers=headers) as answer:
            assert answer.status_code == 200


async def test_a_listed_page_gets_its_stream() -> None:
    page = "https://app.example"
    async with serving(allowed_origins=page) as world:
        sent = {"origin": page, "sec-fetch-site": "cross-site"}
        async with stream(world, COUNT, method="GET", headers=sent) as answer:
            events = await events_of(answer)

    assert answer.headers["access-control-allow-origin"] == page
    assert len(events) == 4


async def test_a_client_that_leaves_ends_its_operation(shared: World, logs: Logs) -> None:
    async with stream(shared, ENDLESS) as answer:
        async for kind, _ in each_event(answer):
            assert kind == "next"
            break
        assert "okd_event_streams 1.0" in shared.metrics.exposition().decode()
        assert "okd_subscriptions 1.0" in shared.metrics.exposition().decode()

    await eventually(lambda: shared.stage.streams_open == 0)
    await eventually(lambda: "okd_event_streams 0.0" in shared.metrics.exposition().decode())
    assert [e for e in logs.events() if e["level"] in ("error", "warning")] == []


async def test_a_silent_stream_gets_comments() -> None:
    async with serving(stream_ping_seconds=0.05) as world:
        query = "subscription { count(to: 2, every: 60) }"
        async with stream(world, query) as answer:
            seen = ""
            async for text in answer.aiter_text():
                seen += text
                if seen.count(":\n\n") >= 5:
                    break

    assert seen.startswith(":\n\n")
    assert seen.count("event: next") == 1


async def test_draining_ends_streams_after_the_window_as_whole_answers(logs: Logs) -> None:
    async with (
        serving(drain_seconds=30) as world,
        asyncio.timeout(10),
        stream(world, ENDLESS) as answer,
    ):
        seen: list[Event] = []
        async for event in each_event(answer):
            seen.append(event)
            if len(seen) == 3:
                world.drain.begin()
            if len(seen) == 6:  # the window is open: it goes on
                world.drain.begin()
        await world.ended.wait()

    assert len(seen) >= 6
    assert {kind for kind, _ in seen} == {"next"}  # no complete: clients connect anew
    assert [e for e in logs.events() if e["level"] == "error"] == []


async def test_a_value_without_json_is_masked_in_the_stream(shared: World) -> None:
    async with stream(shared, "{ lone }") as answer:
        [(kind, payload), end] = await events_of(answer)

    assert (kind, end) == ("next", ("complete", None))
    assert payload["errors"][0]["extensions"]["code"] == "INTERNAL"


@pytest.mark.parametrize(
    ("accept", "events"),
    [
        ("text/event-stream", True),
        ("text/event-stream, multipart/mixed", True),
        ("Text/Event-Stream;charset=utf-8", True),
        ("application/graphql-response+json, application/json, text/event-stream", False),
        ("text/event-stream;q=0.5, application/json", False),
        ("application/json;q=0.5, text/event-stream;q=0.9", True),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=x", False),
        ("*/*", False),
        ("", False),
        ("text/html", False),
    ],
)
def test_accept_decides(accept: str, events: object) -> None:
    assert wants_events(accept) is events
