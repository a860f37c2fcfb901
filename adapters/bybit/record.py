"""Capture live public streams in the format that `--recording` replays.

One JSON object a line, {"dir": "connect" | "send" | "recv", "category", "t", "msg"}: t is the time
of arrival in epoch seconds, a received message is kept byte for byte. Not built on our own stream
(stream.py), which merges, guards and drops: a recording has to show what the venue said, even where
our reading of it is wrong.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, NoReturn

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from adapters.bybit.config import is_loopback
from adapters.bybit.pacing import ReconnectPause
from adapters.bybit.record_file import RecordingFile
from adapters.bybit.record_options import RecordingRefused, RecordOptions
from adapters.bybit.timings import STREAM_TIMINGS, StreamTimings
from domain.kernel.clock import Clock

PROGRESS_SECONDS = 10.0
# A refusal that trying again does not mend: no such stream, or not from this place (Bybit v5,
# "Integration Guidance": 403 for a region or an address that is shut out).
_FINAL_STATUSES = {400, 401, 403, 404}


async def record(
    options: RecordOptions,
    *,
    ws_url: str,
    clock: Clock,
    tell: Callable[[str], None],
    stop: asyncio.Event,
    timings: StreamTimings = STREAM_TIMINGS,
) -> int:
    """Record until the seconds are over or `stop` is set; return the number of frames received.

    Raises:
        RecordingRefused: The file cannot be written, or the venue offers no such stream.
    """
    with RecordingFile(options.out, force=options.force) as file:
        recorder = Recorder(file, clock=clock, tell=tell, timings=timings)
        try:
            await _until_over(recorder, options, ws_url, stop)
        except ExceptionGroup as group:
            raise group.exceptions[0] from group  # The first that fails ends the others.
        tell(recorder.progress())
    return recorder.frames


async def _until_over(
    recorder: "Recorder", options: RecordOptions, ws_url: str, stop: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(
                recorder.follow(category, f"{ws_url}/v5/public/{category}", options.topics)
            )
            for category in options.categories
        ]
        running.append(tasks.create_task(recorder.report()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.seconds):
                await stop.wait()
        for task in running:
            task.cancel()


class Recorder:
    """Any number of sockets into one file."""

    def __init__(
        self,
        file: RecordingFile,
        *,
        clock: Clock,
        tell: Callable[[str], None],
        timings: StreamTimings,
    ) -> None:
        self.frames = 0
        self._file = file
        self._clock = clock
        self._tell = tell
        self._timings = timings
        self._began = clock.monotonic()

    def progress(self) -> str:
        return f"{self.frames} frames in {self._clock.monotonic() - self._began:.0f} s"

    async def report(self) -> NoReturn:
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            self._tell(self.progress())

    async def follow(self, category: str, url: str, topics: list[str]) -> NoReturn:
        """Keep one category's socket up and write what it says."""
        pause = ReconnectPause(
            first_seconds=self._timings.reconnect_first_seconds,
            cap_seconds=self._timings.reconnect_cap_seconds,
            stable_after_seconds=self._timings.stable_after_seconds,
        )
        while True:
            began = self._clock.monotonic()
            why = await self._session(category, url, topics)
            seconds = pause.after(self._clock.monotonic() - began)
            self._tell(f"{category}: {why}; connecting again in {seconds:.1f} s")
            await asyncio.sleep(seconds)

    async def _session(self, category: str, url: str, topics: list[str]) -> str:
        """Record one connection to its end and return why it ended."""
        seconds = self._timings.connect_timeout_seconds
        try:
            async with connect(
                url,
                open_timeout=seconds,
                close_timeout=1,
                ping_interval=self._timings.ping_every_seconds,
                ping_timeout=self._timings.ping_every_seconds,
                proxy=None if is_loopback(url) else True,
            ) as socket:
                self._write("connect", category)
                for topic in topics:  # One a request: a refusal names its topic, spot takes ten.
                    await self._send(socket, category, {"op": "subscribe", "args": [topic]})
                await self._listen(socket, category)
        except InvalidStatus as error:
            status = error.response.status_code
            if status in _FINAL_STATUSES:
                message = f"{url} refuses the connection (HTTP {status}): nothing to record there."
                raise RecordingRefused(message) from error
            return f"refused with HTTP {status}"
        except TimeoutError:
            return f"no connection within {seconds:.0f} s"
        except (OSError, WebSocketException) as error:
            return f"the connection ended ({str(error) or type(error).__name__})"

    async def _listen(self, socket: ClientConnection, category: str) -> NoReturn:
        loop = asyncio.get_running_loop()
        every = self._timings.ping_every_seconds
        ping_at = loop.time() + every
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(ping_at):
                    self._take(await socket.recv(decode=False), category)
            if loop.time() >= ping_at:
                await self._send(socket, category, {"op": "ping"})
                ping_at = loop.time() + every

    async def _send(self, socket: ClientConnection, category: str, message: object) -> None:
        raw = orjson.dumps(message)
        self._write("send", category, raw)
        async with asyncio.timeout(self._timings.connect_timeout_seconds):
            await socket.send(raw, text=True)

    def _take(self, raw: bytes, category: str) -> None:
        try:
            message: Any = orjson.loads(raw)
        except orjson.JSONDecodeError:
            self._tell(f"{category}: a frame that is not JSON was left out ({raw[:60]!r})")
            return
        # A line holds a frame; only one that has line breaks of its own is written anew.
        self._write("recv", category, orjson.dumps(message) if b"\n" in raw else raw)
        self.frames += 1
        if isinstance(message, dict) and message.get("success") is False:
            why = message.get("ret_msg", "no reason given")
            raise RecordingRefused(f"The venue refuses a subscription of {category}: {why}.")

    def _write(self, direction: str, category: str, raw: bytes | None = None) -> None:
        head = b'{"dir":"%b","category":"%b","t":%.6f' % (
            direction.encode(),
            category.encode(),
            self._clock.now().timestamp(),
        )
        # On the loop: a line into the page cache takes microseconds, and order is kept.
        self._file.write(head + (b"}" if raw is None else b',"msg":%b}' % raw))
