"""One port: a uvicorn server with our protocols, and the patience to be stopped politely."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator, Sequence

import structlog
import uvicorn
from starlette.types import ASGIApp

from adapters.gateway.server.http_protocol import HttpProtocol
from adapters.gateway.server.limits import Edge, EdgeConfig
from adapters.gateway.server.listening import BACKLOG, StartFailed
from adapters.gateway.server.socket_protocol import SocketProtocol

WS_BYTES_MAX = 64 * 1024
LIFESPAN_SECONDS = 5.0
_HURRIED_GRACE_SECONDS = 0.5

log = structlog.get_logger("server")


class UvicornServer(uvicorn.Server):
    """Serves one application on one listening socket."""

    def __init__(
        self,
        name: str,
        app: ASGIApp,
        listener: socket.socket,
        *,
        edge: Edge,
        trusted_proxies: Sequence[str],
        grace_seconds: float,
    ) -> None:
        super().__init__(
            EdgeConfig(
                app,
                edge=edge,
                loop="none",
                http=HttpProtocol,
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
        logging.getLogger("uvicorn.error").addFilter(_is_no_hurry)
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
        _, late = await asyncio.wait((task,), timeout=self._grace_seconds + LIFESPAN_SECONDS)
        if late:
            log.error("server_stuck", server=self.name)
            task.cancel()

    async def cancel_requests(self) -> None:
        # Only after sockets were closed with 1012: a cancelled one could not say goodbye.
        await self._closing.wait()
        await asyncio.sleep(_HURRIED_GRACE_SECONDS)
        for request in self.server_state.tasks:
            request.cancel()


def _is_no_hurry(record: logging.LogRecord) -> bool:
    """Requests that ``cancel_requests`` ended are no crash: uvicorn tells of each at length."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.CancelledError)
