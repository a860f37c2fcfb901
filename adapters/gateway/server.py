"""Serving: uvicorn with our settings, and a way out that breaks nobody's request.

On SIGTERM: readiness says no, new connections are still accepted for ``drain_seconds`` (a load
balancer needs that long to look), then listening ends, requests in flight finish, sockets are
closed with 1012, and the process returns. A second signal skips the window and, half a second
later, cancels what still runs.
"""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

import structlog
import uvicorn
from starlette.types import ASGIApp

from adapters.gateway.drain import Drain
from adapters.gateway.sockets.protocol import RequestProtocol, SocketProtocol
from adapters.settings import Settings
from adapters.telemetry import log_loop_exception

BACKLOG = 2048
WS_BYTES_MAX = 64 * 1024
# Longer than the longest deadline of any call a request makes.
GRACE_SECONDS = 10.0
_LIFESPAN_SECONDS = 5.0
_HURRIED_GRACE_SECONDS = 0.5

log = structlog.get_logger("server")


class StartFailed(Exception):
    """This process cannot serve; the message says why, its cause is in the log."""


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
            _Server(
                name,
                app,
                stack.enter_context(listen(fd, settings.host, port)),
                trusted_proxies,
                grace_seconds,
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
    servers: Sequence["_Server"],
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


def listen(fd: int | None, host: str, port: int) -> socket.socket:
    """The inherited listening socket ``fd``, or one of our own. Raises StartFailed."""
    if fd is not None:
        return socket.socket(fileno=fd)
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _cannot_listen(host, port, error) from error
    return listener


def _cannot_listen(host: str, port: int, error: OSError) -> StartFailed:
    return StartFailed(f"Cannot listen on {host}:{port}: {error.strerror or error}.")


class _Server(uvicorn.Server):
    def __init__(
        self,
        name: str,
        app: ASGIApp,
        listener: socket.socket,
        trusted_proxies: Sequence[str],
        grace_seconds: float,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=RequestProtocol,
                ws=SocketProtocol,
                ws_max_size=WS_BYTES_MAX,
                ws_per_message_deflate=False,  # prices: 0.3 ms of CPU per message saves nothing
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(trusted_proxies),
                forwarded_allow_ips=list(trusted_proxies),
                backlog=BACKLOG,
                timeout_graceful_shutdown=max(1, round(grace_seconds)),
            )
        )
        self.name = name
        self._listener = listener
        self._grace_seconds = grace_seconds
        self._up = asyncio.Event()
        self._closing = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: one handler drains all servers of the process."""
        yield

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        await super().serve(sockets or [self._listener])

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit as error:  # uvicorn's way; it would tear the loop down mid-flight
            raise StartFailed(f"the {self.name} application did not start") from error
        address = self._listener.getsockname()
        log.info("listening", server=self.name, address=str(address))
        self._up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._closing.set()
        await super().shutdown(sockets)

    async def started_or_failed(self, task: asyncio.Task[None]) -> None:
        up = asyncio.ensure_future(self._up.wait())
        try:
            await asyncio.wait((up, task), return_when=asyncio.FIRST_COMPLETED)
        finally:
            up.cancel()
        if task.done():
            task.result()

    async def stop(self, task: asyncio.Task[None]) -> None:
        self.should_exit = True
        # Its own bound is timeout_graceful_shutdown, but a lifespan may hang after it.
        _, late = await asyncio.wait((task,), timeout=self._grace_seconds + _LIFESPAN_SECONDS)
        if late:
            log.error("server_stuck", server=self.name)
            task.cancel()

    async def cancel_requests(self) -> None:
        # Only after sockets were closed with 1012: a cancelled one could not say goodbye.
        await self._closing.wait()
        await asyncio.sleep(_HURRIED_GRACE_SECONDS)
        for request in self.server_state.tasks:
            request.cancel()


async def _hurry(drain: Drain, servers: Sequence[_Server]) -> None:
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
