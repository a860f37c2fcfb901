"""A real server on loopback, real sockets, logs as an operator gets them."""

import asyncio
import logging
import os
import socket
import sys
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from adapters.gateway import (
    Drain,
    Identify,
    build_app,
    operation_extensions,
    operations_app,
    serve,
)
from adapters.gateway.access import Access
from adapters.gateway.desk import nobody
from adapters.gateway.fanout import protocol
from adapters.gateway.sign_in import DemoSignIn
from adapters.settings import Environment, LogFormat, Settings, load_settings
from adapters.telemetry import Metrics, configure_logging
from domain.status import Component, ComponentState, StatusBoard, SystemStatus
from domain.wallets.papers import Downloads
from tests.gateway.product import Board, Stage, product_schema

NOT_BUILT = Path("/nowhere")
SINCE = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


@dataclass
class World:
    """A running server and the handles a test needs."""

    url: str
    operations_url: str
    stage: Stage
    board: Board
    metrics: Metrics
    drain: Drain
    client: httpx.AsyncClient
    listener: socket.socket
    """The test's own copy: the address lives on until it is closed, as under the supervisor."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, query: str, **more: Any) -> dict[str, Any]:
        variables = more.pop("variables", None)
        answer = await self.client.post(
            "/graphql", json={"query": query, "variables": variables}, **more
        )
        return cast("dict[str, Any]", answer.json())

    @asynccontextmanager
    async def socket(self, **more: Any) -> AsyncIterator[ClientConnection]:
        """An acknowledged graphql-transport-ws connection."""
        async with self.raw_socket(**more) as ws:
            await ws.send('{"type":"connection_init"}')
            assert orjson.loads(await ws.recv()) == {"type": "connection_ack"}
            yield ws

    def raw_socket(self, **more: Any) -> connect:
        address = self.url.replace("http", "ws") + "/graphql"
        return connect(address, subprotocols=["graphql-transport-ws"], compression=None, **more)  # type: ignore[list-item]


def listening(port: int = 0) -> socket.socket:
    return socket.create_server(("127.0.0.1", port))


def settings(**overrides: Any) -> Settings:
    given: dict[str, Any] = {
        "environment": Environment.SANDBOX,
        "DATABASE_URL": "postgresql://nobody@localhost/none",
        "REDIS_URL": "unix:///nowhere",
        "secret_key": "0" * 32,
        "drain_seconds": 0.0,
        "flood_limit": "100000/minute",
    }
    return load_settings(**{**given, **overrides})


def all_up() -> Board:
    database = Component("postgres", ComponentState.UP, SINCE, None, required=True)
    feed = Component("feed.linear", ComponentState.UP, SINCE)
    return Board(SystemStatus((database, feed), SINCE))


@asynccontextmanager
async def serving(
    *,
    web_port: int = 0,
    graphiql: Path = NOT_BUILT,
    identify: Identify = nobody,
    access: Access | None = None,
    sign_in: DemoSignIn | None = None,
    downloads: Downloads | None = None,
    **overrides: Any,
) -> AsyncIterator[World]:
    """A server of its own; ``overrides`` are settings."""
    web, operations = listening(web_port), listening()
    stage, board = Stage(), all_up()
    drain, metrics = Drain(), Metrics(role="web")
    chosen = settings(
        listen_fd=os.dup(web.fileno()), operations_fd=os.dup(operations.fileno()), **overrides
    )
    schema = product_schema(operation_extensions(chosen))
    app = build_app(
        graphql_schema=schema,
        context=stage.context,
        identify=identify,
        access=access,
        board=cast("StatusBoard", board),
        settings=chosen,
        metrics=metrics,
        drain=drain,
        sdl=schema.as_str(),
        docs=Path(__file__).parents[2] / "docs",
        graphiql=graphiql,
        sign_in=sign_in,
        downloads=downloads,
    )
    ready = asyncio.Event()
    url, operations_url = (f"http://127.0.0.1:{s.getsockname()[1]}" for s in (web, operations))
    async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(base_url=url) as client:
        world = World(url, operations_url, stage, board, metrics, drain, client, web)
        running = tasks.create_task(_until_drained(world, app, chosen, on_ready=ready.set))
        await ready.wait()
        try:
            yield world
        finally:
            drain.begin()
            drain.begin()
            await running
            web.close()
            operations.close()


async def _until_drained(
    world: World, app: Starlette, chosen: Settings, *, on_ready: Callable[[], None]
) -> None:
    await serve(
        settings=chosen,
        drain=world.drain,
        web=app,
        operations=operations_app(cast("StatusBoard", world.board), world.metrics, world.drain),
        trusted_proxies=chosen.trusted_proxies,
        metrics=world.metrics,
        on_ready=on_ready,
        handle_signals=False,
        grace_seconds=5,
    )
    world.ended.set()


@pytest.fixture(params=["direct", "asgi"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways out of a socket: past ASGI, and as with any other server."""
    if request.param == "asgi":
        monkeypatch.setattr(protocol.DirectWrites, "_may_write_directly", lambda _self: False)
    return str(request.param)


@pytest.fixture(scope="session")
async def shared() -> AsyncIterator[World]:
    """For tests that leave the server as it was."""
    async with serving() as world:
        yield world


class Logs:
    """What was written, as the operator's collector reads it."""

    def __init__(self) -> None:
        self.stream = StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        lines = [orjson.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if name is None or line["event"] == name]


@pytest.fixture
def logs() -> Iterator[Logs]:
    root = logging.getLogger()
    before = (root.handlers, root.level, sys.excepthook, threading.excepthook)
    captured = Logs()
    configure_logging(role="web", log_format=LogFormat.JSON, level="info", stream=captured.stream)
    yield captured
    root.handlers, _, sys.excepthook, threading.excepthook = before
    root.setLevel(before[1])
    logging.captureWarnings(capture=False)
    warnings.resetwarnings()
    warnings.simplefilter("error")
