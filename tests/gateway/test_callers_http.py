"""Who is calling over HTTP and event streams: tokens that are good, bad, over, many, huge."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.kernel.errors import UserError
from domain.kernel.failures import Failure, TimedOut, Unavailable
from domain.users.errors import AccountErased, AccountFrozen, SessionEnded, TokenExpired
from tests.gateway.callers import ANN, TOKEN, Door
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.product import CANARY

MODERN = "application/graphql-response+json"
HELLO = {"query": "{ hello }"}
COUNT = {"query": "subscription { count }"}


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[tuple[World, Door]]:
    door = Door()
    async with serving(identify=door.identity().identify) as world:
        yield world, door


@pytest.fixture
def door(served: tuple[World, Door]) -> Door:
    door = served[1]
    door.refused = None
    door.clients.clear()
    return door


@pytest.fixture
def world(served: tuple[World, Door]) -> World:
    served[0].stage.contexts.clear()
    return served[0]


async def post(world: World, *headers: tuple[str, str], accept: str = MODERN) -> httpx.Response:
    return await world.client.post("/graphql", json=HELLO, headers=[("accept", accept), *headers])


def code_of(answer: httpx.Response) -> Any:
    body = answer.json()
    assert "data" not in body
    (error,) = body["errors"]
    return error["extensions"]["code"]


async def test_a_good_token_is_somebody_and_none_is_nobody(world: World, door: Door) -> None:
    known = await post(
        world,
        ("authorization", f"bearer {TOKEN}"),
        ("user-agent", "OKD/1.0 " + "x" * 300),
        ("x-device-id", "phone-0001"),
    )
    nobody = await post(world)

    assert [known.status_code, nobody.status_code] == [200, 200]
    assert [made.viewer.user_id for made in world.stage.contexts] == [ANN, None]
    (client,) = door.clients
    assert (client.address, client.device_id) == ("127.0.0.1", "phone-0001")
    assert client.agent == ("OKD/1.0 " + "x" * 300)[:200]


@pytest.mark.parametrize("device", ["short", "x" * 65, "phone 0001", "phöne-0001"])
async def test_a_device_id_of_another_form_is_none(device: str, world: World, door: Door) -> None:
    answer = await world.client.post(
        "/graphql",
        json=HELLO,
        headers=[
            (b"authorization", f"Bearer {TOKEN}".encode()),
            (b"x-device-id", device.encode("latin-1")),
        ],
    )
    assert answer.status_code == 200
    assert [client.device_id for client in door.clients] == [None]


@pytest.mark.parametrize("accept", [MODERN, "application/json", "text/event-stream"])
@pytest.mark.parametrize(
    "value",
    [
        "Bearer nonsense",
        "Bearer",
        "",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} {TOKEN}",
        f"Bearer {TOKEN},",
        "Bearer " + "x" * 9000,
    ],
    ids=lambda value: value[:12],
)
async def test_what_is_no_good_token_is_never_nobody(
    value: str, accept: str, world: World, door: Door
) -> None:
    answer = await post(world, ("authorization", value), accept=accept)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="okd", error="invalid_token"'
    media_type = MODERN if accept == MODERN else "application/json"
    assert answer.headers["content-type"].startswith(media_type)
    assert code_of(answer) == "TOKEN_INVALID"
    assert world.stage.contexts == []


async def test_two_authorizations_are_none(world: World, door: Door) -> None:
    value = ("authorization", f"Bearer {TOKEN}")
    answer = await post(world, value, value)
    assert (answer.status_code, code_of(answer)) == (401, "TOKEN_INVALID")


@pytest.mark.parametrize(
    ("error", "status", "challenged"),
    [
        (TokenExpired(), 401, True),
        (SessionEnded(), 401, True),
        (AccountFrozen(), 403, False),
        (AccountErased(), 403, False),
    ],
)
@pytest.mark.parametrize("accept", [MODERN, "application/json", "text/event-stream"])
async def test_each_refusal_has_its_status(
    error: UserError, status: int, challenged: bool, accept: str, world: World, door: Door
) -> None:
    door.refused = error
    answer = await post(world, ("authorization", f"Bearer {TOKEN}"), accept=accept)
    assert (answer.status_code, code_of(answer)) == (status, error.code)
    assert ("www-authenticate" in answer.headers) is challenged


@pytest.mark.parametrize("accept", [MODERN, "application/json", "text/event-stream"])
@pytest.mark.parametrize(
    ("failure", "status"),
    [(Unavailable("identity service", retry_after_seconds=3.0), 503), (TimedOut("database"), 504)],
)
async def test_who_cannot_be_asked_has_not_said_no(
    failure: Failure, status: int, accept: str, logs: Logs, world: World, door: Door
) -> None:
    door.refused = failure
    answer = await post(world, ("authorization", f"Bearer {TOKEN}"), accept=accept)
    nobody = await post(world)

    assert (answer.status_code, code_of(answer)) == (status, failure.code)
    assert answer.json()["errors"][0]["extensions"]["retryable"] is True
    assert int(answer.headers["retry-after"]) == (failure.retry_after_seconds or 1)
    assert nobody.status_code == 200
    # One line: a failure is warned of, with no word of what was sent.
    (line,) = logs.events("identity_unknown")
    assert (line["level"], line["code"]) == ("warning", failure.code)


@pytest.mark.provokes(CANARY)
async def test_no_token_is_ever_written(logs: Logs, world: World, door: Door) -> None:
    for value in (f"Bearer {TOKEN}", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"):
        answer = await world.client.post(
            "/graphql",
            json={"query": '{ boom(kind: "bug") }'},
            headers={"authorization": value, "x-correlation-id": TOKEN},
        )
        assert TOKEN not in answer.text
        assert TOKEN not in str(answer.headers)
    exposed = world.metrics.exposition().decode()
    assert "canary-signature" not in logs.text
    assert TOKEN not in exposed
