"""uvicorn's HTTP protocol with bounds on what a peer may hold without giving anything.

uvicorn waits for ever for a request's head and body, takes heads and addresses of any size, queues
as many pipelined requests as fit into a read, and keeps a peer that does not read its answer. Each
has a deadline or a bound here; what was accepted is answered, what was not is refused in our shape.

The parts of uvicorn this stands on are private to it: tests/gateway/test_uvicorn_contract.py names
them, and pyproject.toml keeps its minor version.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.server import ServerState

from adapters.gateway.server import refusals
from adapters.gateway.server.connections import Admission
from adapters.gateway.server.limits import edge_of
from adapters.gateway.server.refusals import Refusal
from adapters.gateway.sockets.protocol import ChannelHttpProtocol

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

HEADERS_MAX = 100
# Nobody we know pipelines; a read of 256 KiB would hold ten thousand of the shortest requests.
PIPELINED_MAX = 16
# The application answers a late body by itself, with more to say; this is for when it does not.
_BODY_GRACE_SECONDS = 1.0
# For reading why: closing at once would send a reset, which overtakes the answer.
_LINGER_SECONDS = 1.0
# What the websockets library reads of one line, less the line's other words.
_HANDSHAKE_LINE_BYTES_MAX = 8000
_HANDSHAKE_KEY_BYTES = 16

_ADMISSIONS = {
    Admission.ADDRESS_FULL: refusals.ADDRESS_FULL,
    Admission.PROCESS_FULL: refusals.PROCESS_FULL,
}


class _StopParsing(Exception):
    """Leaves a callback of the parser; ``_refusal`` says why."""


class HttpProtocol(ChannelHttpProtocol):
    """One connection, until it closes or becomes a WebSocket."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._edge = edge_of(config)
        self._limits = self._edge.limits
        # Of the head or of the body: a connection never waits for both.
        self._deadline: asyncio.TimerHandle | None = None
        self._write_deadline: asyncio.TimerHandle | None = None
        self._in_body = False
        self._head_open = False
        self._heads_complete = 0
        self._head_bytes = 0
        self._heard = False
        self._deaf = False
        self._refusal: Refusal | None = None

    # A connection's life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        host = self.client[0] if self.client else None
        refusal = _ADMISSIONS.get(self._edge.connections.admit(transport, host))
        if refusal is None:
            self._wait_for_head()
        elif self._edge.connections.may_tell(transport):
            self._tell(refusal)
        else:
            self._edge.on_refused(refusal.reason)
            self._deaf = True
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._edge.connections.left(self.transport)
        self._stop_waiting()
        self._stop_watching_writes()
        self._unset_keepalive_if_required()  # uvicorn leaves it running after a reset
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._heard = True
        self.heard_at = self.loop.time()
        self._unset_keepalive_if_required()
        was_in_body, heads_before = self._in_body, self._heads_complete
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._upgrade()
            return
        except httptools.HttpParserError:
            self._refuse(self._refusal or refusals.MALFORMED)
            return
        if self._in_body:
            self._wait_for_body()
        elif not was_in_body and self._heads_complete == heads_before:
            # All of it belongs to a head that is still open: what the parser holds back counts.
            self._wait_for_head()
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.head_bytes_max:
                self._refuse(refusals.HEAD_TOO_LARGE)
        elif self._head_open:  # of the next request
            self._wait_for_head()

    # The parser's callbacks: whatever they raise comes out of feed_data

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_open = True

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._limits.url_bytes_max:
            self._stop_parsing(refusals.URL_TOO_LONG)

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self._heads_complete += 1
        self._head_open = False
        self._head_bytes = 0
        problem = self._problem_of_head()
        if problem is not None:
            self._stop_parsing(problem)
        super().on_headers_complete()
        self._in_body = True

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False
        self._stop_waiting()

    def _problem_of_head(self) -> Refusal | None:
        # Lists, not generators: this runs for every request.
        size = len(self.url) + sum([len(name) + len(value) for name, value in self.headers])
        if size > self._limits.head_bytes_max or len(self.headers) > HEADERS_MAX:
            return refusals.HEAD_TOO_LARGE
        # RFC 9112, 3.2: a request without exactly one Host is answered with 400.
        hosts = len([name for name, _ in self.headers if name == b"host"])
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            return refusals.MALFORMED
        return refusals.PIPELINE_FULL if len(self.pipeline) >= PIPELINED_MAX else None

    def _stop_parsing(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise _StopParsing

    # Becoming a WebSocket

    def _upgrade(self) -> None:
        self._in_body = False
        if not self._should_upgrade():
            # h2c and its like: the request was served as it is, but the parser is done.
            self._deaf = True
            self.cycle.keep_alive = False
        elif self._answering or not self._handshake_is_sound():
            self._refuse(refusals.BAD_HANDSHAKE)
        else:
            self._stop_waiting()
            self._stop_watching_writes()
            self.handle_websocket_upgrade()

    def _handshake_is_sound(self) -> bool:
        # The websockets library would leave a head that it cannot read without any answer.
        if self.scope["method"] != "GET" or not self.url.isascii():
            return False
        lines = [len(self.url), *(len(name) + len(value) for name, value in self.headers)]
        given = dict(self.headers)
        return (
            max(lines) <= _HANDSHAKE_LINE_BYTES_MAX
            and given.get(b"sec-websocket-version") == b"13"
            and _is_key(given.get(b"sec-websocket-key", b""))
        )

    # Answers nobody reads

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_writes()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_watching_writes()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_writes()  # it closes once all is written, which may be never

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            self._cut("write")
        else:
            super().timeout_keep_alive_handler()

    def _watch_writes(self) -> None:
        if self._write_deadline is None:
            self._write_deadline = self.loop.call_later(
                self._limits.write_timeout_seconds, self._cut, "write"
            )

    def _stop_watching_writes(self) -> None:
        if self._write_deadline is not None:
            self._write_deadline.cancel()
            self._write_deadline = None

    # Requests that do not come

    def _wait_for_head(self) -> None:
        self._wait(self._limits.head_timeout_seconds, self._head_is_late)

    def _wait_for_body(self) -> None:
        self._wait(self._limits.body_timeout_seconds + _BODY_GRACE_SECONDS, self._body_is_late)

    def _wait(self, seconds: float, then: Callable[[], None]) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(seconds, then)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _head_is_late(self) -> None:
        self._edge.on_cut("head")
        if self._heard:
            self._refuse(refusals.TOO_SLOW)
        else:  # a browser's spare connection: there is no request to answer
            self.transport.close()

    def _body_is_late(self) -> None:
        self._edge.on_cut("body")
        self._refuse(refusals.TOO_SLOW)

    # Ways to say no

    @property
    def _answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with ``refusal`` where an answer is due, then close. Nothing more is read."""
        self._stop_waiting()
        self._deaf = True
        if self._answering and not self._in_body:
            # Requests that came whole get their answers; after the last uvicorn closes.
            self._edge.on_refused(refusal.reason)
            self.cycle.keep_alive = False
            return
        if self._in_body:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started or self.pipeline:
                self._edge.on_refused(refusal.reason)
                self.transport.close()
                return
        self._tell(refusal)

    def _tell(self, refusal: Refusal) -> None:
        self._edge.on_refused(refusal.reason)
        self._deaf = True
        self.transport.write(refusal.as_bytes(self.server_state.default_headers))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()  # to see the peer leave
        self._deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _cut(self, deadline: str) -> None:
        self._edge.on_cut(deadline)
        self.transport.abort()


def _is_key(value: bytes) -> bool:
    try:
        return len(base64.b64decode(value, validate=True)) == _HANDSHAKE_KEY_BYTES
    except binascii.Error:
        return False
