"""A web process that begins while nobody answers for the certificates of ID tokens."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from adapters.people import CERTIFICATES
from adapters.redis.names import Names
from adapters.sandbox.identity import CERTIFICATES_PATH
from tests.e2e.sandbox import Sandbox
from tests.firebase.source import Answer, HttpServer
from tests.front_door.running import Program
from tests.sandbox.identity.service import Service
from tests.world import REPOSITORY, eventually

pytestmark = pytest.mark.xdist_group("sandbox")

PRICE = '{ ticker(category: LINEAR, symbol: "BTCUSDT") { symbol source } }'
VIEWER = "{ viewer { emailVerified } }"
# It says nothing, or answers with what is none.
OUTAGES = {
    "silent": Answer(hang=True),
    "broken": Answer(503, b"<html>away</html>"),
}


@pytest.fixture
async def source() -> AsyncIterator[HttpServer]:
    """In the place of Google's; the identity service itself lives."""
    async with HttpServer().running() as server:
        yield server


@pytest.fixture
async def forgotten(sandbox: Sandbox) -> AsyncIterator[Any]:
    """Redis, and in it no certificates of before."""
    async with Redis.from_url(sandbox.addresses["redis"]) as redis:
        kept = Names("okd").kept(CERTIFICATES)

        async def is_kept() -> bool:
            return bool(await redis.exists(kept))

        # The sandbox's own process keeps them as soon as it has them: not after we took them away.
        await eventually(is_kept)
        before = await redis.getdel(kept)
        assert before is not None
        yield redis
        await redis.set(kept, before, ex=3600)


@dataclass
class Web:
    """A process like the sandbox's own, with another source of certificates."""

    url: str

    async def ask(self, query: str, token: str | None = None) -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
            return await client.post(self.url, json={"query": query}, headers=headers)

    async def refusal(self, token: str) -> tuple[int, str, bool]:
        """Status, code, and whether to try again, of an operation that may not run."""
        answer = await self.ask(VIEWER, token)
        (error,) = answer.json()["errors"]
        told = error["extensions"]
        return answer.status_code, told["code"], told["retryable"]

    async def knows(self, token: str) -> bool:
        return (await self.ask(VIEWER, token)).json().get("data") is not None

    async def greeted(self, token: str) -> int | dict[str, Any]:
        """What becomes of a socket that brings a token: its close code, or the acknowledgement."""
        url = self.url.replace("http", "ws")
        async with connect(url, subprotocols=["graphql-transport-ws"]) as ws:  # type: ignore[list-item]  # a NewType of str
            payload = {"authorization": f"Bearer {token}"}
            await ws.send(json.dumps({"type": "connection_init", "payload": payload}))
            try:
                return dict(json.loads(await ws.recv()))
            except ConnectionClosed:
                return ws.close_code or 0


@contextmanager
def started(sandbox: Sandbox, source: HttpServer) -> Iterator[Web]:
    told, place = sandbox.addresses, sandbox.data_dir
    program = Program(
        [sys.executable, str(REPOSITORY / "app.py"), "web"],
        {
            "OKD_ENVIRONMENT": "sandbox",
            "OKD_SECRET_KEY": (place / "secret.key").read_text(),
            "OKD_VAULT_KEYS": (place / "vault.keys").read_text(),
            "OKD_BLIND_INDEX_KEY": (place / "blind-index.key").read_text(),
            "OKD_BYBIT_ENVIRONMENT": "sandbox",
            "OKD_BYBIT_REST_URL": told["exchange_rest"],
            "OKD_BYBIT_WS_URL": told["exchange_ws"],
            "OKD_FIREBASE_PROJECT": "demo-okd",
            "OKD_FIREBASE_CERTIFICATES_URL": source.url,
            "OKD_PORT": "0",
            "OKD_OPERATIONS_PORT": "0",
            "OKD_DRAIN_SECONDS": "0",
            "OKD_LOG_FORMAT": "json",
            "DATABASE_URL": told["database"],
            "REDIS_URL": told["redis"],
            "FIREBASE_AUTH_EMULATOR_HOST": told["identity"].removeprefix("http://"),
        },
    )
    try:
        line = json.loads(program.until('"server":"web"'))
        port = re.findall(r"\d+", line["address"])[-1]
        yield Web(f"http://127.0.0.1:{port}/graphql")
        assert "Traceback" not in program.said
    finally:
        program.discard()


@pytest.fixture
def token(sandbox: Sandbox) -> str:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        return str(Service("ours", http).sign_up()["idToken"])


async def publish_again(sandbox: Sandbox, source: HttpServer) -> None:
    url = f"{sandbox.addresses['identity']}{CERTIFICATES_PATH}"
    async with httpx.AsyncClient(trust_env=False) as http:
        source.publish((await http.get(url)).json())
    source.released.set()  # who still waited for the silent one is answered


@pytest.mark.parametrize("outage", OUTAGES)
async def test_prices_come_and_who_signed_in_is_asked_to_try_again(
    sandbox: Sandbox, source: HttpServer, forgotten: Any, token: str, outage: str
) -> None:
    source.answer = OUTAGES[outage]
    with started(sandbox, source) as web:
        price = (await web.ask(PRICE)).json()
        assert "errors" not in price
        assert price["data"]["ticker"] == {"symbol": "BTCUSDT", "source": "SANDBOX"}
        # Nobody is nobody; who shows a token is never taken for one whose token is bad.
        assert (await web.ask(VIEWER)).json() == {"data": {"viewer": None}}
        assert await web.refusal(token) == (503, "UNAVAILABLE", True)
        assert await web.greeted(token) == 1013
        assert await forgotten.exists(Names("okd").kept(CERTIFICATES)) == 0

        await publish_again(sandbox, source)
        async with asyncio.timeout(40):  # it asks again after half a minute at the latest
            await eventually(lambda: web.knows(token), within_seconds=40)
        assert await web.greeted(token) == {"type": "connection_ack"}


async def test_the_last_good_certificates_outlive_the_process_that_fetched_them(
    sandbox: Sandbox, source: HttpServer, forgotten: Any, token: str
) -> None:
    await publish_again(sandbox, source)
    with started(sandbox, source) as first:
        await eventually(lambda: first.knows(token))
    asked = len(source.asked)

    source.answer = OUTAGES["broken"]
    with started(sandbox, source) as second:
        assert (await second.ask(VIEWER, token)).json() == {
            "data": {"viewer": {"emailVerified": False}}
        }
        assert await second.greeted(token) == {"type": "connection_ack"}
        # It did ask: what it goes by is what the first had kept.
        await eventually(lambda: len(source.asked) > asked)
