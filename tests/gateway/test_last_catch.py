"""What no layer expected: masked, logged once, and the server lives on."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapters.gateway import Drain, serve
from adapters.gateway.middleware import (
    BodyLimitMiddleware,
    CorrelationMiddleware,
    LastCatchMiddleware,
)
from tests.gateway.conftest import Logs, listening, serving, settings
from tests.gateway.product import CANARY, Broken


class Reporter:
    def __init__(self) -> None:
        self.reported: list[BaseException] = []

    def report(self, error: BaseException, context: Any) -> None:
        assert set(context) == {"correlation_id"}
        self.reported.append(error)


async def crash(_request: Request) -> Response:
    raise Broken(CANARY)


async def crash_midway(_request: Request) -> Response:
    async def parts() -> Any:
        yield b"half "
        raise Broken(CANARY)

    return StreamingResponse(parts())


async def read(request: Request) -> Response:
    return Response(await request.body())


def small_app(reporter: Reporter) -> Starlette:
    return Starlette(
        routes=[
            Route("/crash", crash),
            Route("/midway", crash_midway),
            Route("/read", read, methods=["POST"]),
        ],
        middleware=[
            Middleware(CorrelationMiddleware),
            Middleware(LastCatchMiddleware, reporter=reporter),
            Middleware(BodyLimitMiddleware, seconds_max=0.2),
        ],
    )


@pytest.mark.provokes(CANARY)
async def test_a_crash_is_masked_or_cut_off_and_logged_once(logs: Logs) -> None:
    reporter, drain, ready = Reporter(), Drain(), asyncio.Event()
    with listening() as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        chosen = settings(listen_fd=listener.detach())
        async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(base_url=url) as client:
            tasks.create_task(
                serve(
                    settings=chosen,
                    drain=drain,
                    web=small_app(reporter),
                    on_ready=ready.set,
                    handle_signals=False,
                )
            )
            await ready.wait()
            crashed = await client.get("/crash")
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/midway")
            alive = await client.post("/read", content=b"whole")
            drain.begin()

    assert crashed.status_code == 500
    assert crashed.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert CANARY not in crashed.text
    assert alive.text == "whole"
    assert [type(e) for e in reporter.reported] == [Broken, Broken]
    assert [e["path"] for e in logs.events("request_crashed")] == ["/crash", "/midway"]
    assert logs.text.count("Traceback (most recent call last)") == 2


async def test_a_slow_body_gets_408_while_it_still_dribbles() -> None:
    drain, ready = Drain(), asyncio.Event()
    with listening() as listener:
        port = listener.getsockname()[1]
        chosen = settings(listen_fd=listener.detach())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(
                serve(
                    settings=chosen,
                    drain=drain,
                    web=small_app(Reporter()),
                    on_ready=ready.set,
                    handle_signals=False,
                )
            )
            await ready.wait()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /read HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc")
            async with asyncio.timeout(5):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.close()
            drain.begin()

    assert head.startswith(b"HTTP/1.1 408")


@pytest.mark.provokes("no attribute 'append'")
async def test_a_context_that_cannot_be_made_is_masked_everywhere(logs: Logs) -> None:
    async with serving() as world:
        world.stage.contexts = None  # type: ignore[assignment]
        answer = await world.client.post("/graphql", json={"query": "{ hello }"})
        async with world.socket() as ws:
            await ws.send('{"id":"1","type":"subscribe","payload":{"query":"{ hello }"}}')
            frame = orjson.loads(await ws.recv())

    assert answer.status_code == 500
    assert answer.json()["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert (frame["type"], frame["payload"][0]["extensions"]["code"]) == ("error", "INTERNAL")
    assert "append" not in answer.text + str(frame)
    assert logs.text.count("Traceback (most recent call last)") == 2
