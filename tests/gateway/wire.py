"""Raw connections, for what no well-behaved client would send."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson

from tests.gateway.conftest import World

HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"sec-websocket-protocol: graphql-transport-ws\r\n%s\r\n"
)


@dataclass
class Wire:
    """One connection to the web port."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """Everything until the server closes; a reset counts as closing."""
        parts = []
        async with asyncio.timeout(20):
            try:
                while part := await self.reader.read(65_536):
                    parts.append(part)
            except ConnectionError:
                pass
        return b"".join(parts)

    async def answer(self) -> "Answer":
        """One answer with a known length."""
        async with asyncio.timeout(20):
            head = await self.reader.readuntil(b"\r\n\r\n")
            found = Answer.of(head)
            length = found.headers.get("content-length")
            found.body = await self.reader.readexactly(int(length)) if length else b""
        return found


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    names: list[str]
    body: bytes = b""

    @classmethod
    def of(cls, raw: bytes) -> "Answer":
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.split(": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        return cls(int(first.split()[1]), headers, [name.lower() for name, _ in pairs], body)

    @property
    def code(self) -> str:
        [error] = orjson.loads(self.body)["errors"]
        assert error["extensions"]["correlationId"] == self.headers["x-correlation-id"]
        return str(error["extensions"]["code"])


def address(world: World) -> tuple[str, int]:
    parts = urlsplit(world.url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@asynccontextmanager
async def wire(world: World) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection(*address(world))
    try:
        yield Wire(reader, writer)
    finally:
        writer.close()


async def ask_raw(world: World, data: bytes) -> Answer:
    """Send ``data``, read until the server closes: one answer."""
    async with wire(world) as connection:
        await connection.send(data)
        return Answer.of(await connection.rest())


@contextmanager
def connected(world: World, count: int) -> Iterator[list[socket.socket]]:
    """So many plain sockets, connected and silent."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(address(world))) for _ in range(count)]


def reset(sock: socket.socket) -> None:
    """Close with RST instead of FIN, as a machine that dies does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def metric(world: World, name: str) -> float:
    """One sample by its name with labels; 0 when it was never counted."""
    for line in world.metrics.exposition().decode().splitlines():
        if line.startswith(f"{name} "):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


async def until_metric(world: World, name: str, value: float) -> None:
    """Wait for a gauge that follows the network, a turn of the loop at a time."""
    async with asyncio.timeout(20):
        while metric(world, name) != value:  # noqa: ASYNC110  # the kernel sets no event
            await asyncio.sleep(0.01)
