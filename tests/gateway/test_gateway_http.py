"""The HTTP side: bodies, methods, origins, headers, correlation."""

import re
from typing import Any

import pytest

from adapters.gateway.negotiation import MODERN_MEDIA_TYPE
from tests.deployment.composition import SECRETS
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.product import CANARY

JSON = {"content-type": "application/json"}


async def test_a_body_over_the_limit_is_refused_announced_or_not(shared: World) -> None:
    large = b'{"query":"{hello}"' + b" " * (256 * 1024) + b"}"

    async def chunks() -> Any:
        yield large

    for content in (large, chunks()):
        answer = await shared.client.post("/graphql", content=content, headers=JSON)
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["extensions"]["code"] == "PAYLOAD_TOO_LARGE"
    assert (await shared.ask("{ hello }")) == {"data": {"hello": "hello you"}}


async def test_get_needs_the_preflight_header_and_never_mutates(shared: World) -> None:
    asked = {"query": "{ hello }"}
    proof = {"graphql-require-preflight": "1"}

    bare = await shared.client.get("/graphql", params=asked)
    query = await shared.client.get("/graphql", params=asked, headers=proof)
    mutation = await shared.client.get(
        "/graphql", params={"query": "mutation { touch }"}, headers=proof
    )

    assert (bare.status_code, bare.headers["allow"]) == (405, "POST")
    assert query.json() == {"data": {"hello": "hello you"}}
    assert mutation.status_code == 405


async def test_a_subscription_by_post_is_refused(shared: World) -> None:
    answer = await shared.client.post("/graphql", json={"query": "subscription { count }"})

    [error] = answer.json()["errors"]
    assert answer.status_code == 400
    assert error["extensions"]["code"] == "SUBSCRIPTION_NEEDS_STREAM"
    assert "graphql-transport-ws" in error["message"]
    assert "text/event-stream" in error["message"]


@pytest.mark.parametrize("query", ["{ hello(", "{ nope }", "query A { hello } query A { hello }"])
async def test_request_errors_have_no_data_and_400_for_modern_clients(
    shared: World, query: str
) -> None:
    modern = await shared.client.post(
        "/graphql", json={"query": query}, headers={"accept": MODERN_MEDIA_TYPE}
    )
    legacy = await shared.client.post("/graphql", json={"query": query})

    assert modern.status_code == 400
    assert modern.headers["content-type"] == f"{MODERN_MEDIA_TYPE}; charset=utf-8"
    assert legacy.status_code == 200
    assert "data" not in modern.json()
    assert "data" not in legacy.json()


@pytest.mark.parametrize("path", ["/", "/graphiql", "/readyz", "/nowhere", "/schema.graphql"])
async def test_every_answer_has_the_headers(shared: World, path: str) -> None:
    headers = (await shared.client.get(path)).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert re.fullmatch(r"[0-9a-f]{24}", headers["x-correlation-id"])
    assert "server" not in headers


async def test_graphql_answers_are_never_stored(shared: World) -> None:
    answer = await shared.client.post("/graphql", json={"query": "{ hello }"})

    assert answer.headers["cache-control"] == "no-store"


async def test_pages_are_revalidated_by_etag(shared: World) -> None:
    first = await shared.client.get("/graphiql")
    again = await shared.client.get("/graphiql", headers={"if-none-match": first.headers["etag"]})

    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


async def test_foreign_pages_may_not_call_unless_listed(shared: World) -> None:
    evil = {"origin": "https://evil.example"}

    refused = await shared.client.post("/graphql", json={"query": "{ hello }"}, headers=evil)
    null = await shared.client.post(
        "/graphql", json={"query": "{ hello }"}, headers={"origin": "null"}
    )
    own = await shared.client.post(
        "/graphql", json={"query": "{ hello }"}, headers={"origin": shared.url}
    )

    assert (refused.status_code, null.status_code, own.status_code) == (403, 403, 200)
    assert refused.json()["errors"][0]["extensions"]["code"] == "ORIGIN_FORBIDDEN"
    async with serving(allowed_origins="https://evil.example") as world:
        listed = await world.client.post("/graphql", json={"query": "{ hello }"}, headers=evil)
        preflight = await world.client.options(
            "/graphql",
            headers={
                **evil,
                "access-control-request-method": "POST",
                "access-control-request-headers": "content-type, authorization",
            },
        )
    assert listed.json() == {"data": {"hello": "hello you"}}
    assert listed.headers["access-control-allow-origin"] == "https://evil.example"
    assert preflight.status_code == 200


@pytest.mark.provokes(CANARY)
async def test_correlation_goes_in_through_and_out(shared: World, logs: Logs) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    sent = {
        "x-correlation-id": "order-42.retry_1",
        "traceparent": f"00-{trace}-b7ad6b7169203331-01",
    }
    answer = await shared.client.post(
        "/graphql", json={"query": '{ correlationId boom(kind: "bug") }'}, headers=sent
    )

    assert answer.headers["x-correlation-id"] == "order-42.retry_1"
    found = re.fullmatch(rf"00-{trace}-([0-9a-f]{{16}})-01", answer.headers["traceresponse"])
    assert found is not None
    assert found[1] != "b7ad6b7169203331"
    error = answer.json()["errors"][0]
    assert error["extensions"]["correlationId"] == "order-42.retry_1"
    [line] = logs.events("operation_crashed")
    assert (line["correlation_id"], line["trace_id"]) == ("order-42.retry_1", trace)
    assert (line["role"], line["level"]) == ("web", "error")


@pytest.mark.parametrize("bad", ["short", "x" * 65, "spa ce-spa-ce", "<script>123"])
async def test_a_malformed_correlation_id_is_replaced(shared: World, bad: str) -> None:
    answer = await shared.client.get("/livez", headers={"x-correlation-id": bad})

    assert re.fullmatch(r"[0-9a-f]{24}", answer.headers["x-correlation-id"])


async def test_the_schema_and_health_are_served(shared: World) -> None:
    schema = await shared.client.get("/schema.graphql")
    ready = await shared.client.get("/readyz")
    metrics = await shared.client.get("/metrics")

    assert "type Query" in schema.text
    assert ready.json()["components"][0]["name"] == "postgres"
    assert "okd_graphql_operations_total{" in metrics.text


async def test_production_hides_metrics_and_suggestions_from_strangers() -> None:
    async with serving(
        environment="production",
        bybit_environment="mainnet",
        firebase_project=SECRETS["OKD_FIREBASE_PROJECT"],
        firebase_service_account=SECRETS["OKD_FIREBASE_SERVICE_ACCOUNT"],
        vault_keys=SECRETS["OKD_VAULT_KEYS"],
        blind_index_key=SECRETS["OKD_BLIND_INDEX_KEY"],
    ) as world:
        metrics = await world.client.get("/metrics")
        result = await world.ask("{ helo }")
        inside = await world.client.get(world.operations_url + "/metrics")

    assert metrics.status_code == 404
    assert result["errors"][0]["message"] == "Cannot query field 'helo' on type 'Query'."
    assert 'okd_component_state{component="postgres",required="true",state="up"} 1.0' in inside.text
    assert "okd_ready 1.0" in inside.text
    assert "process_resident_memory_bytes" in inside.text
