"""Which media type an answer has, and what its status says to whom."""

import pytest
from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport

from adapters.gateway.negotiation import (
    LEGACY_MEDIA_TYPE,
    MODERN_MEDIA_TYPE,
    answer_media_type,
    is_json_body,
)
from tests.gateway.conftest import World, serving

MODERN = {"accept": MODERN_MEDIA_TYPE}
PARTIAL = {"query": "{ hello frail }"}


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, LEGACY_MEDIA_TYPE),
        ("", LEGACY_MEDIA_TYPE),
        ("*/*", LEGACY_MEDIA_TYPE),
        ("application/*", LEGACY_MEDIA_TYPE),
        ("application/json", LEGACY_MEDIA_TYPE),
        ("APPLICATION/JSON", LEGACY_MEDIA_TYPE),
        ("application/json; charset=utf-8", LEGACY_MEDIA_TYPE),
        ("application/graphql-response+json", MODERN_MEDIA_TYPE),
        ('application/graphql-response+json; charset="UTF-8"', MODERN_MEDIA_TYPE),
        ("application/graphql-response+json, application/json;q=0.9", MODERN_MEDIA_TYPE),
        ("application/json;q=0.9, application/graphql-response+json", MODERN_MEDIA_TYPE),
        ("application/json, application/graphql-response+json", MODERN_MEDIA_TYPE),
        ("application/json, application/graphql-response+json;q=0.9", LEGACY_MEDIA_TYPE),
        ("application/graphql-response+json;q=0, */*", LEGACY_MEDIA_TYPE),
        ("application/json;q=0, */*;q=0.1", MODERN_MEDIA_TYPE),
        ("application/graphql-response+json, */*", MODERN_MEDIA_TYPE),
        ("text/html, */*;q=0.1", LEGACY_MEDIA_TYPE),
        ("multipart/mixed, application/graphql-response+json", MODERN_MEDIA_TYPE),
        ("text/html", None),
        ("text/event-stream", None),
        ("*/*;q=0", None),
        ("application/json;q=0", None),
        ("application/json;charset=latin-1", None),
        ("application/json;q=high", None),
        ("application/json;q=1.5", None),
        ("application", None),
        (",;,;;q=,", None),
    ],
)
def test_the_better_liked_type_is_answered(accept: str | None, chosen: str | None) -> None:
    assert answer_media_type(accept) == chosen


@pytest.mark.parametrize("kind", ["application/json;charset=", "application/ json", "json", ";"])
def test_half_a_content_type_is_none(kind: str) -> None:
    assert not is_json_body(kind)


async def test_what_cannot_be_accepted_is_refused_and_never_runs(shared: World) -> None:
    before = len(shared.stage.contexts)
    answer = await shared.client.post(
        "/graphql", json={"query": "mutation { touch }"}, headers={"accept": "text/html"}
    )

    assert answer.status_code == 406
    assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"
    assert len(shared.stage.contexts) == before


async def test_several_accept_headers_are_one_list(shared: World) -> None:
    answer = await shared.client.post(
        "/graphql",
        json={"query": "{ hello }"},
        headers=[("accept", "text/html"), ("accept", MODERN_MEDIA_TYPE)],
    )

    assert answer.headers["content-type"] == f"{MODERN_MEDIA_TYPE}; charset=utf-8"


@pytest.mark.parametrize(
    ("query", "status", "members"),
    [
        ("{ hello }", 200, {"data"}),
        ("{ hello frail }", 200, {"data", "errors"}),
        ("{ must }", 200, {"data", "errors"}),
        ("{ nope }", 400, {"errors"}),
    ],
)
async def test_statuses_for_who_asks(
    shared: World, query: str, status: int, members: set[str]
) -> None:
    modern = await shared.client.post("/graphql", json={"query": query}, headers=MODERN)
    legacy = await shared.client.post("/graphql", json={"query": query})

    assert (modern.status_code, set(modern.json())) == (status, members)
    assert (legacy.status_code, set(legacy.json())) == (200, members)
    assert legacy.headers["content-type"] == "application/json"


async def test_294_by_setting_and_for_the_modern_type_alone() -> None:
    async with serving(partial_result_status=294) as world:
        modern = await world.client.post("/graphql", json=PARTIAL, headers=MODERN)
        nothing = await world.client.post("/graphql", json={"query": "{ must }"}, headers=MODERN)
        whole = await world.client.post("/graphql", json={"query": "{ hello }"}, headers=MODERN)
        legacy = await world.client.post("/graphql", json=PARTIAL)
        transport = HTTPXAsyncTransport(url=f"{world.url}/graphql", headers=MODERN)
        async with Client(transport=transport) as session:
            with pytest.raises(TransportQueryError) as partial:
                await session.execute(gql(PARTIAL["query"]))

    statuses = [answer.status_code for answer in (modern, nothing, whole, legacy)]
    assert statuses == [294, 294, 200, 200]
    assert partial.value.data == {"hello": "hello you", "frail": None}
