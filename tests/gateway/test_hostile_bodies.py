"""Requests nobody sane sends: each gets an answer of ours, and nothing of it reaches the log."""

import asyncio
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.gateway.negotiation import MODERN_MEDIA_TYPE
from tests.gateway.conftest import Logs, World

JSON = {"content-type": "application/json"}
PROOF = {"graphql-require-preflight": "1"}
GARBAGE = [
    b"null",
    b"1",
    b"true",
    b'"x"',
    b"[]",
    b"[null]",
    b'[{"query":"{hello}"}]',
    b"{",
    b"",
    b"\xff\xfe{}",
    b"\xef\xbb\xbf" + b'{"query":"{hello}"}',
    '{"query":"{hello}"}'.encode("utf-16"),
    '{"query":"{hello}"}'.encode("utf-32"),
    b'{"query":"{hello}\xff"}',
    b"[" * 100_000,
    b'{"query":"{hello}","variables":' + b'{"a":' * 20_000 + b"}" * 20_001,
    b'{"query":' + b"9" * 100_000 + b"}",
    b'{"query":"{hello}","variables":{"n":' + b"9" * 100_000 + b"}}",
    b'{"query":"{hello}","variables":{"n":NaN}}',
    b'{"query":"{hello}","variables":{"n":-Infinity}}',
    b'{"query":1}',
    b'{"query":["{hello}"]}',
    b'{"query":null}',
    b'{"query":""}',
    b'{"query":"{hello}","variables":[]}',
    b'{"query":"{hello}","variables":"{}"}',
    b'{"query":"{hello}","operationName":{}}',
    b'{"query":"{hello}","extensions":1}',
    b'{"query":"{hello}","extensions":[]}',
    b"{}",
    b'{"query":"\\ud800"}',
    b'{"query":"{hello}","variables":{"n":"\\udfff"}}',
    b"query=%7Bhello%7D",
    b"{hello}",
]


def refused_as(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The one error of an answer, its shape checked."""
    body = answer.json()
    assert answer.status_code == status
    assert set(body) == {"errors"}
    [error] = body["errors"]
    assert error["extensions"]["code"] == code
    assert error["extensions"]["correlationId"] == answer.headers["x-correlation-id"]
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = error
    return found


@pytest.mark.parametrize("body", GARBAGE, ids=lambda b: repr(b[:40]))
async def test_garbage_is_refused_in_json(shared: World, logs: Logs, body: bytes) -> None:
    for accept in ("*/*", MODERN_MEDIA_TYPE):
        answer = await shared.client.post(
            "/graphql", content=body, headers={**JSON, "accept": accept}
        )

        refused_as(answer, 400, "BAD_REQUEST")
    assert logs.text == ""


async def test_a_batch_is_told_why(shared: World) -> None:
    answer = await shared.client.post("/graphql", json=[{"query": "{ hello }"}] * 3)

    assert "one operation per request" in refused_as(answer, 400, "BAD_REQUEST")["message"]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "text/plain; application/json",
        "application/jsonx",
        "*/*",
        "",
        ";",
    ],
)
async def test_other_content_types_are_refused(shared: World, kind: str) -> None:
    answer = await shared.client.post(
        "/graphql", content=b'{"query":"{hello}"}', headers={"content-type": kind}
    )

    refused_as(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        'application/json ; charset="UTF-8"',
    ],
)
async def test_json_in_utf8_is_read_however_it_is_spelt(shared: World, kind: str) -> None:
    answer = await shared.client.post(
        "/graphql",
        content='{"query":"{hello(name:\\"Ж\\")}"}'.encode(),
        headers={"content-type": kind},
    )

    assert answer.json() == {"data": {"hello": "hello Ж"}}


async def test_no_content_type_several_or_compressed(shared: World) -> None:
    body = b'{"query":"{hello}"}'
    several = [("content-type", "application/json"), ("content-type", "text/plain")]

    none = await shared.client.post("/graphql", content=body)
    both = await shared.client.post("/graphql", content=body, headers=several)
    zipped = await shared.client.post(
        "/graphql", content=body, headers={**JSON, "content-encoding": "gzip"}
    )

    refused_as(none, 415, "UNSUPPORTED_MEDIA_TYPE")
    refused_as(both, 400, "BAD_REQUEST")
    refused_as(zipped, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    "query",
    [
        "query={hello}&variables={",
        "query={hello}&variables=[]",
        "query={hello}&variables=1",
        "query={hello}&extensions=nope",
        "query={hello}&query={hello}",
        "query={hello}&variables={}&variables={}",
        "variables={}",
        "query=",
        "",
    ],
)
async def test_bad_query_strings(shared: World, logs: Logs, query: str) -> None:
    answer = await shared.client.get(
        "/graphql?" + quote(query, safe="=&"), headers={**PROOF, "accept": "text/html, */*"}
    )

    refused_as(answer, 400, "BAD_REQUEST")
    assert logs.text == ""


async def test_a_query_string_that_is_no_utf8(shared: World) -> None:
    answer = await shared.client.get("/graphql?query=%7Bhello%FF%7D", headers=PROOF)

    assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "TRACE"])
async def test_other_methods_are_refused(shared: World, method: str) -> None:
    answer = await shared.client.request(method, "/graphql", headers=PROOF)

    refused_as(answer, 405, "METHOD_NOT_ALLOWED")
    assert "POST" in answer.headers["allow"]


async def test_there_is_no_head_to_an_operation(shared: World) -> None:
    answer = await shared.client.head("/graphql?query={hello}", headers=PROOF)

    assert (answer.status_code, answer.content) == (405, b"")


async def test_a_mutation_or_subscription_by_get(shared: World) -> None:
    mutation = await shared.client.get("/graphql?query=mutation{touch}", headers=PROOF)
    subscription = await shared.client.get("/graphql?query=subscription{count}", headers=PROOF)

    refused_as(mutation, 405, "METHOD_NOT_ALLOWED")
    assert mutation.headers["allow"] == "POST"
    refused_as(subscription, 400, "SUBSCRIPTION_NEEDS_STREAM")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"documentId": "sha256:00"}, "PERSISTED_QUERY_NOT_FOUND"),
        (
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "00"}}},
            "PERSISTED_QUERY_NOT_SUPPORTED",
        ),
    ],
)
async def test_documents_that_are_not_kept(
    shared: World, body: dict[str, object], code: str
) -> None:
    legacy = await shared.client.post("/graphql", json=body)
    modern = await shared.client.post("/graphql", json=body, headers={"accept": MODERN_MEDIA_TYPE})

    refused_as(legacy, 200, code)
    refused_as(modern, 400, code)
    assert modern.headers["content-type"].startswith(MODERN_MEDIA_TYPE)


async def test_a_persisted_query_that_comes_with_its_text_runs(shared: World) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "00"}}
    answer = await shared.client.post(
        "/graphql", json={"query": "{ hello }", "extensions": extensions}
    )

    assert answer.json() == {"data": {"hello": "hello you"}}


@pytest.mark.parametrize("chunk", [b"", b'{"query":'])
async def test_a_client_that_leaves_within_its_body(
    shared: World, logs: Logs, chunk: bytes
) -> None:
    host, port = shared.listener.getsockname()
    for _ in range(3):
        _, writer = await asyncio.open_connection(host, port)
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: 100\r\n\r\n" + chunk
        )
        await writer.drain()
        writer.transport.abort()
        # The next answer comes after the loop has seen the other one go.
        assert await shared.ask("{ hello }") == {"data": {"hello": "hello you"}}

    assert logs.text == ""


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
DOCUMENTS = st.sampled_from(
    [
        "{ hello }",
        "query($n: String!, $m: Mood) { hello(name: $n, mood: $m) }",
        "query A { hello } query B { address }",
        "mutation { touch }",
        "subscription { count }",
        "{ nope }",
        "{",
    ]
)
# Near misses find more than noise: the right keys with anything under them.
BODIES = (
    st.binary(max_size=300)
    | JSON_VALUES.map(orjson.dumps)
    | st.fixed_dictionaries(
        {"query": DOCUMENTS | st.text(max_size=60) | JSON_VALUES},
        optional={
            "variables": st.dictionaries(st.sampled_from(["n", "m", "x"]), JSON_VALUES)
            | JSON_VALUES,
            "operationName": st.sampled_from(["A", "B", "", "\0"]) | JSON_VALUES,
            "extensions": JSON_VALUES,
            "documentId": JSON_VALUES,
        },
    ).map(lambda body: orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS))
)


@given(body=BODIES, accept=st.sampled_from(["*/*", MODERN_MEDIA_TYPE, "application/json"]))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_body_is_our_fault(shared: World, logs: Logs, body: bytes, accept: str) -> None:
    answer = await shared.client.post("/graphql", content=body, headers={**JSON, "accept": accept})

    assert answer.status_code == 200 or 400 <= answer.status_code < 500
    assert answer.json().keys() <= {"data", "errors"}
    for error in answer.json().get("errors", []):
        assert error["extensions"]["code"] != "INTERNAL"
        assert error["extensions"]["correlationId"]
    assert logs.text == ""
