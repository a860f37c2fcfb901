"""Going away: nobody's request breaks, sockets are told, the process ends in time."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import orjson
import pytest
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed

from adapters.gateway import Drain, StartFailed, serve
from domain.status import ComponentState
from tests.gateway.conftest import World, listening, serving, settings


async def closed_with(ws: object) -> int | None:
    try:
        while True:
            await ws.recv()  # type: ignore[attr-defined]
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


async def test_draining_lets_everybody_finish() -> None:
    async with serving(drain_seconds=30) as world, asyncio.TaskGroup() as tasks:
        async with world.socket() as ws:
            held = tasks.create_task(world.ask("{ hold }", timeout=20))
            await world.stage.entered.wait()

            world.drain.begin()

            ready = await world.client.get("/readyz")
            alive = await world.client.get(world.operations_url + "/livez")
            async with httpx.AsyncClient() as newcomer:
                new = await newcomer.post(world.url + "/graphql", json={"query": "{ hello }"})
            assert (ready.status_code, ready.json()["draining"]) == (503, True)
            assert ready.headers["connection"] == "close"
            assert (alive.status_code, alive.json()["draining"]) == (200, True)
            assert new.json() == {"data": {"hello": "hello you"}}
            assert not held.done()
            world.stage.release.set()
            assert (await held) == {"data": {"hold": "held and answered"}}
            world.drain.begin()  # the window is over: nothing is in flight any more
            assert await closed_with(ws) == 1012
        async with asyncio.timeout(5):
            await world.ended.wait()


async def test_a_request_in_flight_outlives_the_window() -> None:
    async with serving(drain_seconds=0) as world, asyncio.TaskGroup() as tasks:
        async with world.socket() as ws:
            held = tasks.create_task(world.ask("{ hold }", timeout=20))
            await world.stage.entered.wait()
            world.drain.begin()
            assert await closed_with(ws) == 1012  # so listening has ended
            world.stage.release.set()

            assert (await held) == {"data": {"hold": "held and answered"}}
        await world.ended.wait()


async def test_hurrying_cancels_what_still_runs() -> None:
    async with serving(drain_seconds=0) as world:
        async with asyncio.TaskGroup() as tasks, world.socket() as ws:
            held = tasks.create_task(attempt(world))
            await world.stage.entered.wait()
            world.drain.begin()
            assert await closed_with(ws) == 1012
            world.drain.begin()

            async with asyncio.timeout(3):
                assert await held == "broken"
        async with asyncio.timeout(3):
            await world.ended.wait()


async def attempt(world: World) -> str:
    try:
        answer = await world.client.post("/graphql", json={"query": "{ hold }"}, timeout=20)
    except httpx.TransportError:
        return "broken"
    return "broken" if answer.status_code == 500 else "answered"


async def test_readiness_follows_the_required_components(shared: World) -> None:
    shared.board.set(ComponentState.DOWN)
    down = await shared.client.get("/readyz")
    shared.board.set(ComponentState.DEGRADED)
    degraded = await shared.client.get("/readyz")
    shared.board.set(ComponentState.UP)

    assert (down.status_code, down.json()["ready"], down.json()["state"]) == (503, False, "DOWN")
    assert (degraded.status_code, degraded.json()["state"]) == (200, "DEGRADED")
    assert down.json()["components"][0]["detail"] == "for the test"


@pytest.mark.provokes("CancelledError", "TimeoutError")
async def test_a_lifespan_that_fails_is_one_plain_exception() -> None:
    @asynccontextmanager
    async def broken(_app: Starlette) -> AsyncIterator[None]:
        await asyncio.wait_for(asyncio.Event().wait(), timeout=0)  # a dependency is away
        yield

    listener = listening()
    chosen = settings(listen_fd=os.dup(listener.fileno()))
    with listener, pytest.raises(StartFailed, match="the web application did not start"):
        await serve(
            settings=chosen, drain=Drain(), web=Starlette(lifespan=broken), handle_signals=False
        )


async def test_a_taken_port_is_a_sentence() -> None:
    with (
        listening() as listener,
        pytest.raises(StartFailed, match=r"Cannot listen on 127.0.0.1:\d+: Address already in use"),
    ):
        await serve(
            settings=settings(port=listener.getsockname()[1]),
            drain=Drain(),
            web=Starlette(),
            handle_signals=False,
        )


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM]])
async def test_signals_end_the_process_with_success(signals: list[signal.Signals]) -> None:
    listener = listening()
    window = "0" if len(signals) == 1 else "60"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.gateway.standalone", str(listener.fileno()), window,
        pass_fds=(listener.fileno(),), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            events = [orjson.loads(await process.stdout.readline())]
            while events[-1]["event"] != "ready":
                events.append(orjson.loads(await process.stdout.readline()))
            for number in signals:
                process.send_signal(number)
                events.append(orjson.loads(await process.stdout.readline()))
            rest = (await process.stdout.read()).decode()
            code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        listener.close()

    assert code == 0
    assert events[-len(signals)]["event"] == "drain_begun"
    assert "drain_ended" in rest + str(events)
    assert "Traceback" not in rest
