"""One graphql-transport-ws connection: acknowledges, runs operations, closes.

What many ask for comes from groups (``fanout``) and needs no task here; everything else is a task
per operation, paced by its reader. All of it leaves by one outbox. Every task of a connection is a
child of one TaskGroup and ends by returning: a child that raised would let the group of Python
3.11 forget a cancellation from outside. What ends a connection is one future, ``_ending``; whoever
is first decides the code.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, assert_never

from adapters.gateway.access import Stay
from adapters.gateway.desk import ConnectionInfo, Transport
from adapters.gateway.errors import GatewayErrorCode
from adapters.gateway.fanout.flusher import Flusher
from adapters.gateway.fanout.outbox import Outbox
from adapters.gateway.fanout.sharing import Sharing
from adapters.gateway.fanout.wires import Wire
from adapters.gateway.identity import AccessRefused, without_token
from adapters.gateway.operations import Answer, OperationRequest, OperationRunner, refusal
from adapters.gateway.sockets import frames
from adapters.gateway.sockets.closing import CloseCode, Ending
from adapters.gateway.sockets.operation import Operation
from adapters.gateway.sockets.renewal import renewed
from adapters.gateway.sockets.rounds import Rounds
from adapters.gateway.sockets.wire import GOODBYE_SECONDS, WireGone
from adapters.telemetry import correlation
from domain.kernel.errors import UserError
from domain.kernel.failures import Failure

if TYPE_CHECKING:
    from adapters.gateway.fanout.callers import Caller


class Socket(Protocol):
    """A peer that is listened to, and the wire to it."""

    wire: Wire

    @property
    def direct(self) -> bool:
        """Whether the wire writes by itself; otherwise ``run`` has to."""
        ...

    @property
    def heard_at(self) -> float:
        """When the peer last gave a sign of life, in the loop's time."""
        ...

    async def receive(self) -> str | bytes:
        """The next message. Raises WireGone."""
        ...

    async def run(self) -> None:
        """Write until the close is sent. Raises WireGone."""
        ...

    def cut(self, code: int, reason: str) -> None:
        """Leave a peer that does not read."""
        ...


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """How much and how long; docs/subscriptions.md has them in words."""

    init_seconds: float = 10.0
    ping_seconds: float = 20.0
    silence_seconds: float = 60.0
    operations_max: int = 100
    pings_per_minute: int = 300


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as far as the handshake tells."""

    correlation: correlation.Correlation
    address: str
    headers: Mapping[str, str]


class Services:
    """What all connections of a process share.

    Args:
        wait_seconds_of: Counts one subscribe of an address; how long to wait when that is too
            many, else None.
    """

    def __init__(
        self,
        *,
        runner: OperationRunner,
        sharing: Sharing,
        flusher: Flusher,
        limits: SocketLimits,
        wait_seconds_of: Callable[[str, str], float | None],
    ) -> None:
        self.runner = runner
        self.sharing = sharing
        self.flusher = flusher
        self.limits = limits
        self.wait_seconds_of = wait_seconds_of
        self.strangers = Rounds(limits.init_seconds)
        self.pings = Rounds(limits.ping_seconds)


class Connection:
    """One per socket, for as long as it is open."""

    def __init__(self, socket: Socket, peer: Peer, services: Services) -> None:
        self._stay: Stay | None = None
        """Whose connection it is, set by ``connection_init``."""
        self._socket = socket
        self._peer = peer
        self._services = services
        self._desk = services.runner.desk
        self._parameters: Mapping[str, object] | None = None
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._outbox = Outbox(socket.wire, services.flusher, self._closed)
        self._caller: Caller | None = None
        self._operations: dict[str, Operation] = {}
        self._open: set[Operation] = set()
        """One whose stream is still closing is here and has no id any more."""
        self._begun = 0
        self._pings: deque[float] | None = None
        self._missed = 0
        self._asked_at = 0.0

    async def run(self) -> Ending:
        """Serve until the client leaves or is sent away; nothing of it is left afterwards."""
        self._services.strangers.enter(self, self._init_is_late)
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                reading = group.create_task(self._read())
                writing = None if self._socket.direct else group.create_task(self._write())
                ending = await self._ending
                reading.cancel()
                self._leave()
                if writing is not None:
                    await self._goodbye(writing, ending)
        finally:
            self._leave()
            if self._stay is not None:
                self._stay.leave()
        self._desk.metrics.socket_closed("client" if ending.code is None else str(ending.code))
        return ending

    def close(self, code: int, reason: str) -> None:
        """End the connection, from wherever: a limit, an expired token, a frozen account."""
        self._outbox.close(code, frames.reason_of(reason))

    def _closed(self, code: int, reason: str) -> None:
        self._end(Ending(code, reason))

    def _gone(self) -> None:
        self._outbox.lost()
        self._end(Ending(None, ""))

    def _end(self, ending: Ending) -> None:
        if not self._ending.done():
            self._ending.set_result(ending)

    def _leave(self) -> None:
        self._outbox.lost()
        self._services.strangers.leave(self)
        self._services.pings.leave(self)
        for operation in tuple(self._open):
            operation.stop()

    async def _goodbye(self, writing: asyncio.Task[None], ending: Ending) -> None:
        if ending.code is not None:
            _, late = await asyncio.wait((writing,), timeout=GOODBYE_SECONDS)
            if late:
                self._socket.cut(ending.code, ending.reason)
        writing.cancel()

    async def _read(self) -> None:
        while not self._ending.done():
            try:
                message = await self._socket.receive()
            except WireGone:
                self._gone()
                return
            await self._handle(frames.parse(message))

    async def _write(self) -> None:
        try:
            await self._socket.run()
        except WireGone:
            self._gone()

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
        self._services.strangers.leave(self)
        self._services.pings.enter(self, self._keep)
        self._outbox.say(frames.ACK)

    def _end_access(self, error: UserError) -> None:
        self.close(CloseCode.FORBIDDEN, f"{error.code}: {error.message}")

    async def _ping(self, payload: dict[str, object] | None) -> None:
        now = time.monotonic()
        if self._pings is None:
            self._pings = deque(maxlen=self._services.limits.pings_per_minute)
        if len(self._pings) == self._pings.maxlen and now - self._pings[0] < 60:  # noqa: PLR2004  # s
            self.close(CloseCode.TOO_MANY_REQUESTS, "Too many pings")
            return
        self._pings.append(now)
        if payload is not None and without_token(payload) != payload:
            info = self._info(self._peer.correlation, {**(self._parameters or {}), **payload})
            payload = await renewed(self._stay, info, self._desk)
        self._outbox.say(frames.pong(payload))

    def _subscribe(self, frame: frames.Subscribe) -> None:
        if self._stay is None:
            self.close(CloseCode.UNAUTHORIZED, "Unauthorized: send connection_init first")
            return
        if frame.id in self._operations:
            self.close(CloseCode.DUPLICATE_ID, f"Subscriber for {frame.id} already exists")
            return
        refused = self._refusal()
        if refused is not None:
            self._outbox.say(frames.error_frame(frame.id, refused.errors))
            return
        self._begin(frame, self._stay)

    def _begin(self, frame: frames.Subscribe, stay: Stay) -> None:
        self._begun += 1
        operation = Operation(frame.id, self._outbox, self._over)
        self._operations[frame.id] = operation
        self._open.add(operation)
        self._desk.metrics.subscriptions.inc()
        running = self._operate(operation, frame.request, stay, self._begun)
        operation.start(self._group, running)

    async def _operate(
        self, operation: Operation, request: OperationRequest, stay: Stay, number: int
    ) -> None:
        bound = correlation.begin_operation(self._peer.correlation, number)
        services = self._services
        if self._caller is None:
            self._caller = services.sharing.callers.connection(stay.viewer, self._peer.address)
        await operation.run(
            request,
            who=lambda: self._desk.access.again(stay),
            connection=self._info(bound),
            caller=self._caller,
            sharing=services.sharing,
            runner=services.runner,
        )

    def _over(self, operation: Operation) -> None:
        self._desk.metrics.subscriptions.dec()
        self._open.discard(operation)
        if self._operations.get(operation.id) is operation:
            del self._operations[operation.id]

    def _refusal(self) -> Answer | None:
        bound = self._services.limits.operations_max
        wait = None
        if len(self._open) >= bound:
            code = GatewayErrorCode.TOO_MANY_SUBSCRIPTIONS
            text = f"One socket may run {bound} operations at a time."
        else:
            code = GatewayErrorCode.RATE_LIMITED
            text = "Too many operations from this address. Wait before the next."
            wait = self._services.wait_seconds_of(self._peer.address, "subscribe")
            if wait is None:
                return None
        self._desk.metrics.refused(code.lower())
        return refusal(code, text, self._peer.correlation.id, retry_after_seconds=wait)

    def _complete(self, operation_id: str) -> None:
        # The id is free at once; the operation counts until its stream is closed.
        operation = self._operations.pop(operation_id, None)
        if operation is not None:
            operation.stop()

    def _info(
        self, bound: correlation.Correlation, parameters: Mapping[str, object] | None = None
    ) -> ConnectionInfo:
        peer = self._peer
        known = self._parameters or {} if parameters is None else parameters
        return ConnectionInfo(Transport.WEBSOCKET, bound, peer.address, peer.headers, known)

    def _init_is_late(self) -> None:
        self.close(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")

    def _keep(self) -> None:
        """Tell the client that we live and hear whether it does; once a round."""
        # Pings without an answer are counted, not seconds: after a pause of this process the
        # answers wait in the kernel, and every client would look dead.
        limits = self._services.limits
        self._missed = 0 if self._socket.heard_at > self._asked_at else self._missed + 1
        if self._missed >= max(1, round(limits.silence_seconds / limits.ping_seconds)):
            self.close(CloseCode.SILENT, "Nothing was heard of this client")
            return
        self._asked_at = asyncio.get_running_loop().time()
        self._outbox.say(frames.PING)
        self._services.pings.enter(self, self._keep)
