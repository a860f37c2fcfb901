"""One graphql-transport-ws connection: acknowledges, runs operations, closes.

Every task of a connection is a child of one TaskGroup and ends by returning: a child that raised
would let the group of Python 3.11 forget a cancellation from outside. What ends a connection is
one future, ``_ending``; whoever is first decides the code.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, assert_never

from adapters.gateway.access import Stay
from adapters.gateway.desk import ConnectionInfo, Transport
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.identity import AccessRefused, without_token
from adapters.gateway.operations import Answer, OperationRunner, refusal
from adapters.gateway.sockets import frames
from adapters.gateway.sockets.closing import CloseCode, Ending
from adapters.gateway.sockets.outbox import Ended, Lane, Outbox
from adapters.gateway.sockets.renewal import renewed
from adapters.gateway.sockets.wire import Wire, WireGone
from adapters.telemetry import correlation
from domain.kernel.errors import UserError
from domain.kernel.failures import Failure


class Socket(Wire, Protocol):
    """A wire that also listens."""

    @property
    def heard_at(self) -> float:
        """When the peer last gave a sign of life, in the loop's time."""
        ...

    async def receive(self) -> str | bytes:
        """The next message. Raises WireGone."""
        ...


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """How much and how long; docs/subscriptions.md has them in words."""

    init_seconds: float = 10.0
    ping_seconds: float = 20.0
    silence_seconds: float = 60.0
    stall_seconds: float = 10.0
    operations_max: int = 100
    pings_per_minute: int = 300


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as far as the handshake tells."""

    correlation: correlation.Correlation
    address: str
    headers: Mapping[str, str]


class Connection:
    """One per socket, for as long as it is open.

    Args:
        wait_seconds_of: Counts one subscribe of an address; how long to wait when that is too
            many, else None.
    """

    def __init__(
        self,
        socket: Socket,
        peer: Peer,
        *,
        runner: OperationRunner,
        limits: SocketLimits,
        wait_seconds_of: Callable[[str, str], float | None],
    ) -> None:
        self._stay: Stay | None = None
        """Whose connection it is, set by ``connection_init``."""
        self._socket = socket
        self._peer = peer
        self._runner = runner
        self._desk = runner.desk
        self._limits = limits
        self._wait_seconds_of = wait_seconds_of
        self._parameters: Mapping[str, object] | None = None
        self._acknowledged = asyncio.Event()
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._outbox = Outbox(
            socket, stall_seconds=limits.stall_seconds, on_full=self._close_slow_reader
        )
        self._control = self._outbox.lane()
        self._operations: dict[str, _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        """Of operations; one whose stream is still closing is here and has no id any more."""
        self._begun = 0
        self._pings: deque[float] = deque(maxlen=limits.pings_per_minute)

    async def run(self) -> Ending:
        """Serve until the client leaves or is sent away; nothing of it is left afterwards."""
        try:
            ending = await self._serve()
        finally:
            if self._stay is not None:
                self._stay.leave()
        self._desk.metrics.socket_closed("client" if ending.code is None else str(ending.code))
        return ending

    async def _serve(self) -> Ending:
        async with asyncio.TaskGroup() as group:
            self._group = group
            services = [
                group.create_task(work) for work in (self._read(), self._write(), self._keep())
            ]
            ending = await self._ending
            for task in (*services, *self._tasks):
                task.cancel()
            if ending.code is not None:
                await self._socket.close(ending.code, frames.reason_of(ending.reason))
        return ending

    def close(self, code: int, reason: str) -> None:
        """End the connection, from wherever: a limit, an expired token, a frozen account."""
        self._end(Ending(code, reason))

    def _end(self, ending: Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    async def _read(self) -> None:
        while not self._ending.done():
            try:
                message = await self._socket.receive()
            except WireGone:
                self._end(Ending(None, ""))
                return
            await self._handle(frames.parse(message))

    async def _handle(self, frame: frames.Frame) -> None:
        match frame:
            case frames.Init(payload):
                await self._init(payload)
            case frames.Ping(payload):
                await self._ping(payload)
            case frames.Pong():
                pass
            case frames.Subscribe():
                self._subscribe(frame)
            case frames.Complete(operation_id):
                self._complete(operation_id)
            case frames.Malformed(reason):
                self.close(CloseCode.BAD_REQUEST, reason)
            case _:
                assert_never(frame)

    async def _init(self, payload: dict[str, object]) -> None:
        if self._parameters is not None:
            self.close(CloseCode.TOO_MANY_REQUESTS, "Too many initialisation requests")
            return
        self._parameters = without_token(payload)
        try:
            viewer = await self._desk.identify(self._info(self._peer.correlation, payload))
        except AccessRefused as refused:
            self._desk.metrics.error(refused.code)
            self._end_access(refused.error)
            return
        except Failure as failure:
            self.close(CloseCode.TRY_AGAIN_LATER, failure.message)
            return
        except Exception as error:  # noqa: BLE001  # outermost: a connection
            self._desk.crash(error)
            self.close(CloseCode.INTERNAL, "Something went wrong on our side")
            return
        self._stay = self._desk.access.begin(viewer, self._end_access)
        self._acknowledged.set()
        self._control.put(frames.ACK)

    def _end_access(self, error: UserError) -> None:
        self.close(CloseCode.FORBIDDEN, f"{error.code}: {error.message}")

    async def _ping(self, payload: dict[str, object] | None) -> None:
        now = time.monotonic()
        if len(self._pings) == self._pings.maxlen and now - self._pings[0] < 60:  # noqa: PLR2004  # s
            self.close(CloseCode.TOO_MANY_REQUESTS, "Too many pings")
            return
        self._pings.append(now)
        if payload is not None and without_token(payload) != payload:
            info = self._info(self._peer.correlation, {**(self._parameters or {}), **payload})
            payload = await renewed(self._stay, info, self._desk)
        self._control.put(frames.pong(payload))

    def _subscribe(self, frame: frames.Subscribe) -> None:
        if self._stay is None:
            self.close(CloseCode.UNAUTHORIZED, "Unauthorized: send connection_init first")
            return
        if frame.id in self._operations:
            self.close(CloseCode.DUPLICATE_ID, f"Subscriber for {frame.id} already exists")
            return
        refused = self._refusal()
        if refused is not None:
            self._control.put(frames.error_frame(frame.id, refused.errors))
            return
        running = _Running(self._outbox.lane())
        self._operations[frame.id] = running
        running.task = self._group.create_task(self._operate(frame, running, self._stay))
        self._tasks.add(running.task)
        running.task.add_done_callback(self._tasks.discard)

    def _refusal(self) -> Answer | None:
        bound = self._limits.operations_max
        wait = None
        if len(self._tasks) >= bound:
            code = GatewayErrorCode.TOO_MANY_SUBSCRIPTIONS
            text = f"One socket may run {bound} operations at a time."
        else:
            code = GatewayErrorCode.RATE_LIMITED
            text = "Too many operations from this address. Wait before the next."
            wait = self._wait_seconds_of(self._peer.address, "subscribe")
            if wait is None:
                return None
        self._desk.metrics.refused(code.lower())
        return refusal(code, text, self._peer.correlation.id, retry_after_seconds=wait)

    def _complete(self, operation_id: str) -> None:
        # The id is free at once; the operation counts until its stream is closed.
        running = self._operations.pop(operation_id, None)
        if running is not None and running.task is not None:
            running.lane.drop()
            running.task.cancel()

    async def _operate(self, frame: frames.Subscribe, running: "_Running", stay: Stay) -> None:
        """The operation's task, from its context to its last frame."""
        self._begun += 1
        bound = correlation.begin_operation(self._peer.correlation, self._begun)
        metrics = self._desk.metrics
        metrics.subscriptions.inc()
        try:
            viewer = await self._desk.access.again(stay)
            if isinstance(viewer, UserError):
                return  # the connection ends with the stay
            answers = self._runner.run(frame.request, self._info(bound), viewer)
            async with aclosing(answers):
                last = await self._relay(frame.id, answers, running.lane)
        except Exception as error:  # noqa: BLE001  # outermost: a subscription
            last = frames.error_frame(frame.id, [e.formatted for e in self._desk.crash(error)])
        finally:
            metrics.subscriptions.dec()
            if self._operations.get(frame.id) is running:
                del self._operations[frame.id]
        running.lane.put(last)

    async def _relay(
        self, operation_id: str, answers: AsyncGenerator[Answer, None], lane: Lane
    ) -> bytes:
        """Send the answers, each once the one before has left; returns the frame that ends them."""
        async for answer in answers:
            if answer.refused:
                return frames.error_frame(operation_id, answer.errors)
            lane.put(frames.next_frame(operation_id, answer.payload))
            self._desk.metrics.messages.inc()
            await lane.sent()
        return frames.complete_frame(operation_id)

    def _info(
        self, bound: correlation.Correlation, parameters: Mapping[str, object] | None = None
    ) -> ConnectionInfo:
        peer = self._peer
        known = self._parameters or {} if parameters is None else parameters
        return ConnectionInfo(Transport.WEBSOCKET, bound, peer.address, peer.headers, known)

    async def _write(self) -> None:
        if await self._outbox.run() is Ended.STALLED:
            self._close_slow_reader()
        else:
            self._end(Ending(None, ""))

    def _close_slow_reader(self) -> None:
        self.close(CloseCode.SLOW_READER, "Too slow: messages were not read in time")

    async def _keep(self) -> None:
        """Wait for the handshake, then tell the client that we live and hear whether it does."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.init_seconds):
                await self._acknowledged.wait()
        except TimeoutError:
            self.close(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")
            return
        # Pings without an answer are counted, not seconds: after a pause of this process the
        # answers wait in the kernel, and every client would look dead.
        missed_max = max(1, round(limits.silence_seconds / limits.ping_seconds))
        missed, asked_at = 0, 0.0
        while missed < missed_max:
            await asyncio.sleep(limits.ping_seconds)
            missed = 0 if self._socket.heard_at > asked_at else missed + 1
            asked_at = asyncio.get_running_loop().time()
            self._control.put(frames.PING, key="ping")
        self.close(CloseCode.SILENT, "Nothing was heard of this client")


class _Running:
    """An operation and its way out."""

    __slots__ = ("lane", "task")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.task: asyncio.Task[None] | None = None
