"""Serving: uvicorn with our settings, and a way out that breaks nobody's request.

On SIGTERM: readiness says no, new connections are still accepted for ``drain_seconds`` (a load
balancer needs that long to look), then listening ends, requests in flight finish, sockets are
closed with 1012, and the process returns. A second signal skips the window and, half a second
later, cancels what still runs.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import structlog
from starlette.types import ASGIApp

from adapters.gateway.drain import Drain
from adapters.gateway.server.connections import Connections
from adapters.gateway.server.limits import Edge, Limits
from adapters.gateway.server.listening import StartFailed, listen, make_room
from adapters.gateway.server.uvicorn_server import UvicornServer
from adapters.settings import Settings
from adapters.telemetry import Metrics, log_loop_exception

# Longer than the longest deadline of any call a request makes.
GRACE_SECONDS = 10.0

log = structlog.get_logger("server")


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a role's main coroutine on uvloop, or on asyncio where there is none."""
    try:
        import uvloop  # noqa: PLC0415  # not on every platform

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


async def serve(
    *,
    settings: Settings,
    drain: Drain,
    web: ASGIApp | None = None,
    operations: ASGIApp | None = None,
    on_ready: Callable[[], None] | None = None,
    trusted_proxies: Sequence[str] = (),
    metrics: Metrics | None = None,
    grace_seconds: float = GRACE_SECONDS,
    handle_signals: bool = True,
) -> None:
    """Serve until drained; returns within ``drain_seconds + grace_seconds`` and a little.

    ``web`` listens on ``listen_fd`` or ``host:port``, ``operations`` on ``operations_fd`` or
    ``host:operations_port``. ``on_ready`` is called once both accept. ``X-Forwarded-For`` is
    believed of ``trusted_proxies`` only. Raises StartFailed.
    """
    asyncio.get_running_loop().set_exception_handler(log_loop_exception)
    with contextlib.ExitStack() as stack:
        apps = (
            ("operations", operations, settings.operations_fd, settings.operations_port),
            ("web", web, settings.listen_fd, settings.port),
        )
        servers = [
            UvicornServer(
                name,
                app,
                stack.enter_context(listen(fd, settings.host, port)),
                edge=_edge(name, settings, trusted_proxies, metrics),
                trusted_proxies=trusted_proxies,
                grace_seconds=grace_seconds,
            )
            for name, app, fd, port in apps
            if app is not None
        ]
        if handle_signals:
            stack.enter_context(_signals(drain))
        try:
            await _serve_until_drained(servers, drain, settings.drain_seconds, on_ready)
        except BaseExceptionGroup as group:
            failed, _ = group.split(StartFailed)
            if failed is not None:  # one plain sentence for whoever started us
                raise StartFailed(str(failed.exceptions[0])) from group
            raise
    log.info("drain_ended", hurried=drain.hurried)


async def _serve_until_drained(
    servers: Sequence[UvicornServer],
    drain: Drain,
    drain_seconds: float,
    on_ready: Callable[[], None] | None,
) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = [(server, tasks.create_task(server.serve())) for server in servers]
        for server, task in running:
            await server.started_or_failed(task)
        if on_ready is not None:
            on_ready()
        await drain.wait_begun()
        log.info("drain_begun", seconds=drain_seconds)
        await drain.window(drain_seconds)
        hurry = tasks.create_task(_hurry(drain, servers))
        # The operations port is the last to go: it tells how the rest is doing.
        for server, task in reversed(running):
            await server.stop(task)
        hurry.cancel()


def _edge(
    name: str, settings: Settings, trusted_proxies: Sequence[str], metrics: Metrics | None
) -> Edge:
    connections = Connections(
        total_max=make_room(settings.connections_max),
        # The operations port is for those who look after us: load balancers, a scraper, people.
        per_address_max=settings.connections_per_address if name == "web" else None,
        trusted_proxies=trusted_proxies,
    )
    if metrics is None:
        return Edge(Limits.of(settings), connections, lambda _reason: None, lambda _deadline: None)
    metrics.watch_connections(name, lambda: len(connections))
    return Edge(Limits.of(settings), connections, metrics.refused, metrics.connection_cut)


async def _hurry(drain: Drain, servers: Sequence[UvicornServer]) -> None:
    await drain.wait_hurried()
    log.warning("drain_hurried")
    async with asyncio.TaskGroup() as tasks:
        for server in servers:
            tasks.create_task(server.cancel_requests())


@contextlib.contextmanager
def _signals(drain: Drain) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, drain.begin)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
