"""The flood guard, as /graphql is really mounted: HTTP, socket connects, subscribes."""

import orjson
import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from adapters.gateway.flood import address_of
from tests.gateway.conftest import serving


async def test_the_sixth_request_of_five_is_refused_with_a_typed_error() -> None:
    async with serving(flood_limit="5/minute") as world:
        answers = [
            await world.client.post("/graphql", json={"query": "{ hello }"}) for _ in range(8)
        ]
        metrics = world.metrics.exposition().decode()

    assert [a.status_code for a in answers] == [200] * 5 + [429] * 3
    refused = answers[5]
    [error] = refused.json()["errors"]
    assert error["extensions"]["code"] == "RATE_LIMITED"
    assert error["extensions"]["retryable"] is True
    assert error["extensions"]["retryAfterMs"] == 60_000
    assert error["extensions"]["correlationId"] == refused.headers["x-correlation-id"]
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["x-content-type-options"] == "nosniff"
    assert 'okd_refused_total{reason="flood"} 3.0' in metrics


async def test_health_is_never_limited() -> None:
    async with serving(flood_limit="1/minute") as world:
        answers = [await world.client.get("/livez") for _ in range(5)]

    assert [a.status_code for a in answers] == [200] * 5


async def test_forwarded_addresses_of_strangers_are_not_believed() -> None:
    async with serving(flood_limit="2/minute") as world:
        answers = [
            await world.client.post(
                "/graphql",
                json={"query": "{ hello }"},
                headers={"x-forwarded-for": f"203.0.113.{number}"},
            )
            for number in range(3)
        ]

    assert [a.status_code for a in answers] == [200, 200, 429]


async def test_socket_connects_are_limited() -> None:
    async with serving(flood_limit="3/minute") as world:
        for _ in range(3):
            async with world.socket():
                pass
        with pytest.raises(InvalidStatus) as refused:
            async with world.raw_socket():
                pass

    response = refused.value.response
    assert response.status_code == 429
    assert 1 <= int(response.headers["retry-after"]) <= 60
    body = orjson.loads(response.body or b"{}")
    assert body["errors"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_subscribes_on_one_socket_are_limited() -> None:
    frame = '{"id":"%d","type":"subscribe","payload":{"query":"{ hello }"}}'
    async with serving(flood_limit="3/minute") as world, world.socket() as ws:
        frames = []
        for number in range(4):
            await ws.send(frame % number)
            frames.append(orjson.loads(await ws.recv()))
            if frames[-1]["type"] == "next":
                await ws.recv()

    assert [f["type"] for f in frames] == ["next", "next", "next", "error"]
    assert frames[3]["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


@pytest.mark.parametrize(
    ("host", "counted_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::"),
        ("", ""),
    ],
)
def test_an_ipv6_network_counts_as_one_address(host: str, counted_as: str) -> None:
    connection = HTTPConnection({"type": "http", "client": (host, 1), "headers": []})

    assert address_of(connection) == counted_as
