"""GraphQL over Server-Sent Events, "distinct connections mode" of graphql-sse's PROTOCOL.md.

One request, one operation, one stream: ``next`` for every answer, ``complete`` at its end. What is
wrong with the document is told in the stream, as the protocol wants it; a request from which no
operation can be read gets an ordinary HTTP answer. A stream that this process must end (it stops)
ends without ``complete``, and clients connect anew.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import Enum, auto

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.graphql import OperationType

from adapters.gateway.answers import RequestRefused
from adapters.gateway.desk import ConnectionInfo, Transport
from adapters.gateway.drain import Drain
from adapters.gateway.fanout.flusher import OutboxCounters
from adapters.gateway.fanout.groups import Membership
from adapters.gateway.fanout.mailbox import Mailbox, Overflown
from adapters.gateway.fanout.plan import Plan
from adapters.gateway.fanout.sharing import Alone, Sharing
from adapters.gateway.flood import address_of
from adapters.gateway.operations import (
    ANY_TYPE,
    READING,
    Answer,
    OperationRequest,
    OperationRunner,
    refusal,
)
from adapters.gateway.requests import read_operation
from adapters.gateway.resuming import LAST_EVENT_ID, event_id, resumed
from adapters.gateway.sockets.protocol import CHANNEL, Channel
from adapters.gateway.sockets.wire import GOODBYE_SECONDS, WireGone
from adapters.telemetry import Metrics, correlation
from domain.kernel.errors import UserError
from domain.kernel.viewer import ANONYMOUS, Viewer

MEDIA_TYPE = "text/event-stream"
COMPLETE = b"event: complete\ndata:\n\n"
COMMENT = b":\n\n"

_JSON_TYPES = ("application/json", "application/graphql-response+json")
_HEADERS = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx would collect events until a buffer is full
}


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """docs/subscriptions.md has them in words."""

    ping_seconds: float = 12.0
    stall_seconds: float = 10.0


def wants_events(accept: str) -> bool:
    """Whether ``Accept`` prefers an event stream to JSON; of equals the first one listed."""
    preferred, highest = "", 0.0
    for part in accept.split(","):
        media_type, *parameters = (word.strip().lower() for word in part.split(";"))
        if media_type not in (MEDIA_TYPE, "application/*", "*/*", *_JSON_TYPES):
            continue
        quality = next((_quality(p) for p in parameters if p.startswith("q=")), 1.0)
        if quality > highest:
            preferred, highest = media_type, quality
    return preferred == MEDIA_TYPE


def _quality(parameter: str) -> float:
    try:
        return float(parameter.removeprefix("q="))
    except ValueError:
        return 0.0


def next_event(payload: Mapping[str, object]) -> bytes:
    """One answer; with its id, where a client can resume from it.

    Raises TypeError when ``payload`` has no JSON.
    """
    found = event_id(payload)
    line = b"" if found is None else b"id: " + found.encode() + b"\n"
    return _framed(orjson.dumps(payload), line)


def _framed(payload: bytes, line: bytes = b"") -> bytes:
    return b"event: next\n" + line + b"data: " + payload + b"\n\n"


class EventStreams:
    """Answers requests for event streams. One per process."""

    def __init__(
        self,
        runner: OperationRunner,
        *,
        sharing: Sharing,
        counters: OutboxCounters,
        drain: Drain,
        limits: StreamLimits,
    ) -> None:
        self.counters = counters
        self.drain = drain
        self.limits = limits
        self.desk = runner.desk
        self._runner = runner
        self._sharing = sharing

    async def answer(self, request: Request) -> Response:
        """The stream of the operation asked for. Raises RequestRefused when there is none."""
        try:
            wanted = OperationRequest.of(await read_operation(request))
        except RequestRefused as refused:
            if refused.legacy_status is None:
                raise
            return EventStream(_told(refused), self)  # GraphQL's own answer: told in the stream
        info = ConnectionInfo(
            Transport.SSE, correlation.current(), address_of(request), request.headers
        )
        viewer = await self.desk.admit(info)
        types = READING if request.method == "GET" else ANY_TYPE
        last = request.headers.get(LAST_EVENT_ID)
        wanted = resumed(wanted, last, self._runner.graphql_schema)
        return EventStream(self._events(wanted, info, viewer, types), self, viewer)

    async def _events(
        self,
        wanted: OperationRequest,
        info: ConnectionInfo,
        viewer: Viewer,
        types: frozenset[OperationType],
    ) -> AsyncGenerator[bytes, None]:
        """An event for every answer: of a group's execution where it can be shared."""
        boxes: list[Mailbox] = []

        def sink(plan: Plan) -> Mailbox:
            boxes.append(Mailbox(plan.policy.delivery, self._count_surpassed))
            return boxes[0]

        found = await self._sharing.join(
            wanted,
            lambda: self.desk.context(viewer, info),
            sink=sink,
            caller=self._sharing.callers.connection(viewer, info.address),
        )
        match found:
            case Membership():
                async for event in _of_group(found, boxes[0]):
                    yield event
            case Answer(payload):
                yield next_event(payload)
            case Alone(context):
                answers = self._runner.run(wanted, info, viewer, types=types, context=context)
                async with aclosing(answers):
                    async for answer in answers:
                        yield next_event(answer.payload)

    def _count_surpassed(self, values: int) -> None:
        self.counters.conflated += values


async def _of_group(member: Membership, box: Mailbox) -> AsyncGenerator[bytes, None]:
    try:
        async with aclosing(box.values()) as values:
            async for value in values:
                yield _framed(value.payload)
        if box.errors is not None:
            yield next_event({"errors": box.errors})
    finally:
        member.leave()


async def _told(refused: RequestRefused) -> AsyncGenerator[bytes, None]:
    answer = refusal(refused.code, refused.message, correlation.current().id)
    yield next_event(answer.payload)


class _End(Enum):
    COMPLETED = auto()
    CLIENT_LEFT = auto()
    STALLED = auto()
    DRAINED = auto()


class EventStream(Response):
    """One operation's answers as they come. Its tasks end by returning, as a connection's do."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        events: AsyncGenerator[bytes, None],
        streams: EventStreams,
        viewer: Viewer = ANONYMOUS,
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._events = events
        self._streams = streams
        self._viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        wire = self._wire = _AsgiStream(scope, receive, send)
        loop = asyncio.get_running_loop()
        self._ending: asyncio.Future[_End] = loop.create_future()
        self._refused: asyncio.Future[UserError] = loop.create_future()
        with _counted(self._streams.desk.metrics), self._staying():
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(work)
                    for work in (
                        self._keep(),
                        self._pump(),
                        self._until_refused(),
                        self._until_left(wire),
                        self._until_drained(),
                    )
                ]
                ending = await self._ending
                for task in tasks:
                    task.cancel()
            if ending is _End.STALLED:
                await wire.cut()
            elif ending is not _End.CLIENT_LEFT:
                await wire.close()

    def _end(self, ending: _End) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    async def _pump(self) -> None:
        """Every answer goes once the one before has left; what keeps them conflates meanwhile."""
        last = COMPLETE
        try:
            async with aclosing(self._events) as events:
                # What ended after the token was looked at was told before we stayed to hear it.
                if isinstance(await self._streams.desk.access.again(self._stay), UserError):
                    return
                async for event in events:
                    self._streams.counters.deliveries += 1
                    if self._refused.done() or not await self._sent(event):
                        return
        except Overflown:
            self._end(_End.STALLED)
            return
        except Exception as error:  # noqa: BLE001  # outermost: a subscription
            shown = [e.formatted for e in self._streams.desk.crash(error)]
            last = next_event({"errors": shown}) + COMPLETE
        if not self._refused.done() and await self._sent(last):
            self._end(_End.COMPLETED)

    @contextlib.contextmanager
    def _staying(self) -> Iterator[None]:
        stay = self._stay = self._streams.desk.access.begin(self._viewer, self._refused.set_result)
        try:
            yield
        finally:
            stay.leave()

    async def _until_refused(self) -> None:
        error = await self._refused
        self._streams.desk.metrics.error(error.code)
        told = refusal(error.code, error.message, correlation.current().id)
        if await self._sent(next_event(told.payload) + COMPLETE):
            self._end(_End.COMPLETED)

    async def _sent(self, event: bytes) -> bool:
        """Whether there is somebody who takes it in time."""
        try:
            async with asyncio.timeout(self._streams.limits.stall_seconds):
                await self._wire.write(event)
        except TimeoutError:
            self._end(_End.STALLED)
            return False
        except WireGone:
            self._end(_End.CLIENT_LEFT)
            return False
        return True

    async def _keep(self) -> None:
        # The first one at once: some proxies hold an answer back until its first byte.
        while True:
            if not await self._sent(COMMENT):
                return
            await asyncio.sleep(self._streams.limits.ping_seconds)

    async def _until_left(self, wire: "_AsgiStream") -> None:
        await wire.left()
        self._end(_End.CLIENT_LEFT)

    async def _until_drained(self) -> None:
        await self._streams.drain.wait_over()
        self._end(_End.DRAINED)


class _AsgiStream:
    """The body of an HTTP answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._channel: Channel | None = scope.get("extensions", {}).get(CHANNEL)
        self._receive = receive
        self._send = send

    async def write(self, event: bytes) -> None:
        """Write, however long the client takes. Raises WireGone."""
        if self._channel is not None and self._channel.closing:
            raise WireGone
        await self._send({"type": "http.response.body", "body": event, "more_body": True})

    async def close(self) -> None:
        """End the answer as a whole one."""
        try:
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            await self.cut()

    async def cut(self) -> None:
        """Leave a reader that is stuck."""
        if self._channel is None:
            return
        self._channel.cut(0, "")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.left()  # else the server complains of an answer without an end

    async def left(self) -> None:
        """Wait for the client to leave."""
        while (await self._receive())["type"] != "http.disconnect":
            pass


@contextlib.contextmanager
def _counted(metrics: Metrics) -> Iterator[None]:
    metrics.event_streams.inc()
    metrics.subscriptions.inc()
    try:
        yield
    finally:
        metrics.event_streams.dec()
        metrics.subscriptions.dec()
