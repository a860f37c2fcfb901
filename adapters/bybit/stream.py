"""A public Bybit stream that does not die: pybit's WebSocket with its connection loop replaced.

Stock pybit 5.17 was seen to end for good, silently, when a callback raised, one subscription was
refused, a delta preceded its snapshot, a topic was unsubscribed, or the server was away for a
second (ten tries within 100 ms). What is kept of it: topic names, checks, the callback directory.
What is ours: one thread that dials, pings, subscribes, reads, and looks at its watchdogs; nothing
but that thread touches the socket, therefore no message is sent or registered in a race.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

import orjson
import structlog
import websocket
from pybit import unified_trading

from adapters.bybit.config import wire_category
from adapters.bybit.logs import LogGate
from adapters.bybit.metrics import FeedMetrics
from adapters.bybit.pacing import ConnectLimit, ReconnectPause
from adapters.bybit.sockets import dial, goodbye_of, hang_up
from adapters.bybit.subscriptions import Request, Subscriptions
from adapters.bybit.timings import StreamTimings
from domain.kernel.ids import Category
from domain.market import FeedState

log = structlog.get_logger()

Callback = Callable[[dict[str, Any]], None]


class StreamListener(Protocol):
    """Told by the reader thread what happens to the connection. Must be quick."""

    def connection_changed(self, state: FeedState) -> None: ...

    def topic_asked(self, topic: str) -> None:
        """A subscribe goes out: the topic's next usable frame is a snapshot."""
        ...

    def topic_left(self, topic: str) -> None:
        """An unsubscribe goes out: nothing that is known of the topic counts any more."""
        ...

    def topic_silent(self, topic: str) -> None: ...

    def topic_rejected(self, topic: str) -> None: ...


class _HungUp(Exception):
    def __init__(self, reason: str, state: FeedState = FeedState.DISCONNECTED) -> None:
        super().__init__(reason)
        self.reason = reason
        self.state = state


class GuardedStream(unified_trading.WebSocket):  # type: ignore[misc]  # pybit has no types
    """One public stream of one category. Survives everything but ``exit``.

    Callbacks and the listener run in the reader thread. ``follow``, ``subscribe`` (and pybit's
    ``*_stream`` methods above it) and ``unsubscribe`` only note what is wanted and return at once,
    from any thread; the reader sends it within a tick. ``exit`` waits for the thread: call it off
    the loop.
    """

    callback_directory: dict[str, Callback]
    """pybit's own registry; replaced whole under the lock, so that the reader needs none."""

    def __init__(
        self,
        url: str,
        *,
        category: Category,
        listener: StreamListener,
        timings: StreamTimings,
        connects: ConnectLimit,
        metrics: FeedMetrics,
    ) -> None:
        self._url = url
        self._category = category
        self._listener = listener
        self._timings = timings
        self._connects = connects
        self._metrics = metrics
        self._registry = Subscriptions(timings)
        self._directory_lock = threading.Lock()
        self._stopping = threading.Event()
        self._gate = LogGate()
        self._live = False
        self._heard_at = self._pinged_at = 0.0
        super().__init__(channel_type=wire_category(category), testnet=False)

    # -- pybit's surface, made safe ------------------------------------------------------------

    def _connect(self, _url: str) -> None:
        # Called last by pybit's constructor.
        self.endpoint = self._url
        self.wst = threading.Thread(
            target=self._run, name=f"okd-bybit-{wire_category(self._category)}", daemon=True
        )
        self.wst.start()

    def subscribe(
        self, topic: str, callback: Callback, symbol: str | Iterable[str] | None = None
    ) -> None:
        symbols = [symbol] if isinstance(symbol, str) else symbol
        names = [topic.format(symbol=s) for s in symbols] if symbols else [topic]
        with self._directory_lock:
            self.callback_directory = self.callback_directory | dict.fromkeys(names, callback)

    def follow(self, topics: Collection[str], callback: Callback) -> None:
        """Subscribe to exactly these from now on."""
        with self._directory_lock:
            self.callback_directory = dict.fromkeys(topics, callback)

    def unsubscribe(self, topic: str) -> None:
        with self._directory_lock:
            directory = dict(self.callback_directory)
            directory.pop(topic, None)
            self.callback_directory = directory

    def is_connected(self) -> bool:
        return self._live

    def resubscribe(self, topic: str) -> None:
        """Ask for a fresh snapshot of a topic out of step. From a callback only."""
        self._registry.refresh(topic, time.monotonic())

    def exit(self) -> None:
        """End the thread; bounded by the timings even when it hangs in a name lookup."""
        self.exited = True
        self._stopping.set()
        if self.wst is not threading.current_thread():
            self.wst.join(self._timings.exit_timeout_seconds)
        if self.wst.is_alive():
            # It sees the flag as soon as the dial it hangs in ends, and touches nothing before.
            log.warning("feed_thread_left", category=self._category)

    # -- the reader thread ---------------------------------------------------------------------

    def _run(self) -> None:
        pause = ReconnectPause(
            first_seconds=self._timings.reconnect_first_seconds,
            cap_seconds=self._timings.reconnect_cap_seconds,
            stable_after_seconds=self._timings.stable_after_seconds,
        )
        while not self._stopping.is_set():
            wait = self._connects.take(time.monotonic())
            if wait:
                self._stopping.wait(wait)
                continue
            opened_at = time.monotonic()
            hung_up = self._one_connection()
            if self._stopping.is_set():
                return
            lasted = time.monotonic() - opened_at if self._live else 0.0
            self._lost(hung_up, retry_in_seconds := pause.after(lasted))
            self._stopping.wait(retry_in_seconds)

    def _one_connection(self) -> _HungUp:
        sock: websocket.WebSocket | None = None
        try:
            sock = dial(self._url, self._timings)
            return self._serve(sock)
        except _HungUp as hung_up:
            return hung_up
        # The outermost place of a background thread: whatever it is, the feed must come back.
        except Exception as error:  # noqa: BLE001
            return _HungUp(type(error).__name__)
        finally:
            if sock is not None:
                hang_up(sock)

    def _serve(self, sock: websocket.WebSocket) -> _HungUp:
        now = self._heard_at = self._pinged_at = time.monotonic()
        self._registry.restart(now)
        next_tick = now
        while not self._stopping.is_set():
            if now >= next_tick:
                self._tick(sock, now)
                next_tick = now + self._timings.tick_seconds
            try:
                opcode, data = sock.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                now = time.monotonic()
                continue
            now = self._heard_at = time.monotonic()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return _HungUp(goodbye_of(data))
            if not self._live:
                self._found_alive()
            if opcode in (websocket.ABNF.OPCODE_TEXT, websocket.ABNF.OPCODE_BINARY):
                self._take(data, now)
        return _HungUp("stopped")

    def _tick(self, sock: websocket.WebSocket, now: float) -> None:
        limit = self._timings.silent_after_seconds
        if now - self._heard_at >= limit:
            raise _HungUp("silent", FeedState.SILENT)
        self._registry.want(self.callback_directory.keys(), now)
        for request in self._registry.requests(now):
            self._ask(sock, request)
        for topic in self._registry.newly_silent(now):
            log.warning("topic_silent", category=self._category, topic=topic)
            self._metrics.topic_silent(self._category)
            self._listener.topic_silent(topic)
        if self._registry.all_silent:
            raise _HungUp("all_topics_silent", FeedState.SILENT)
        quiet = now - self._heard_at >= limit / 2 and now - self._pinged_at >= limit / 2
        if quiet or now - self._pinged_at >= self._timings.ping_every_seconds:
            self._pinged_at = now
            self._send(sock, {"op": "ping", "req_id": "ping"})

    def _ask(self, sock: websocket.WebSocket, request: Request) -> None:
        tell = self._listener.topic_asked
        if request.op == "unsubscribe":
            tell = self._listener.topic_left
        for topic in request.topics:
            tell(topic)
        message = {"op": request.op, "req_id": request.request_id, "args": request.topics}
        self._send(sock, message)

    def _send(self, sock: websocket.WebSocket, message: Mapping[str, object]) -> None:
        sock.settimeout(self._timings.send_timeout_seconds)
        sock.send(orjson.dumps(message).decode())
        sock.settimeout(self._timings.tick_seconds)

    def _take(self, data: bytes, now: float) -> None:
        # pybit's ``_on_message``: one message must never end the stream, whatever its callback
        # does, thus everything is caught here and counted.
        try:
            message = orjson.loads(data)
            topic = message.get("topic")
            if topic is None:
                self._answered(message, now)
            elif self._registry.heard(topic, now) and (
                callback := self.callback_directory.get(topic)
            ):
                self._metrics.frame_received(self._category)
                callback(message)
        except Exception as error:
            self._metrics.frame_dropped(self._category, type(error).__name__)
            if (suppressed := self._gate.admit(type(error).__name__, now)) is not None:
                log.exception("frame_failed", category=self._category, suppressed=suppressed)

    def _answered(self, message: dict[str, Any], now: float) -> None:
        if message.get("op") not in ("subscribe", "unsubscribe"):
            return  # a pong: that it came is all it says
        reason = str(message.get("ret_msg", ""))[:200]
        rejected = self._registry.answered(
            message.get("req_id"),
            accepted=message.get("success") is not False,
            already="already" in reason.lower(),
            now=now,
        )
        for topic in rejected:
            log.warning("topic_rejected", category=self._category, topic=topic, reason=reason)
            self._metrics.topic_rejected(self._category)
            self._listener.topic_rejected(topic)

    def _found_alive(self) -> None:
        self._live = True
        log.info("feed_connected", category=self._category)
        self._metrics.feed_connected(self._category)
        self._listener.connection_changed(FeedState.LIVE)

    def _lost(self, hung_up: _HungUp, retry_in_seconds: float) -> None:
        self._live = False
        log.warning(
            "feed_disconnected",
            category=self._category,
            reason=hung_up.reason,
            retry_in_seconds=round(retry_in_seconds, 2),
        )
        self._metrics.feed_disconnected(self._category, hung_up.reason)
        self._listener.connection_changed(hung_up.state)
