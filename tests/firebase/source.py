"""A certificate source and an Identity Toolkit of the test's own, on real sockets, with faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import orjson


@dataclass
class Answer:
    """What the server says next."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False


class HttpServer:
    """Answers every request with ``answer``, and remembers what was asked."""

    def __init__(self) -> None:
        self.answer = Answer()
        self.by_path: dict[str, Answer] = {}
        """Answers to paths that end so."""
        self.asked: list[tuple[str, bytes]] = []
        self.host = ""
        self.released = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://{self.host}/certificates"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["HttpServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self.released.set()
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            # Cancelled at the end: asyncio's own callback would say so with a traceback.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    await self._one(reader, writer)
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        path = head.split(" ", 2)[1].partition("?")[0]
        lengths = [
            line.partition(":")[2]
            for line in head.split("\r\n")
            if line.lower().startswith("content-length:")
        ]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        self.asked.append((path, body))
        answers = [found for tail, found in self.by_path.items() if path.endswith(tail)]
        answer = answers[0] if answers else self.answer
        if answer.hang:
            await self.released.wait()
        headers = {"content-length": str(len(answer.body)), "content-type": "application/json"}
        lines = [f"{name}: {value}" for name, value in (headers | answer.headers).items()]
        head = "\r\n".join([f"HTTP/1.1 {answer.status} Answer", *lines, "", ""])
        writer.write(head.encode() + answer.body)
        await writer.drain()

    def publish(self, certificates: dict[str, str], *, max_age: int = 3600) -> None:
        """Have these certificates from now on."""
        cached = {"cache-control": f"public, max-age={max_age}, must-revalidate"}
        self.answer = Answer(200, orjson.dumps(certificates), cached)
