"""A client that does not read: by hand, because every library reads ahead."""

import asyncio
import os
import socket
from base64 import b64encode
from typing import Self
from urllib.parse import urlsplit

import orjson

# Small buffers fill soon.
RECEIVE_BYTES = 4096


async def connected(url: str) -> socket.socket:
    """A TCP connection that takes little before its peer has to wait."""
    plug = socket.socket()
    plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    plug.setblocking(False)
    parts = urlsplit(url)
    await asyncio.get_running_loop().sock_connect(plug, (parts.hostname, parts.port))
    return plug


class SlowSocket:
    """An acknowledged graphql-transport-ws connection that reads when it is told to."""

    def __init__(self, plug: socket.socket) -> None:
        self._plug = plug
        self._received = b""

    @classmethod
    async def open(cls, url: str) -> "SlowSocket":
        slow = cls(await connected(url))
        key = b64encode(os.urandom(16)).decode()
        await slow._write(
            "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n"
            "sec-websocket-protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        while b"\r\n\r\n" not in slow._received:
            await slow._read()
        slow._received = slow._received.split(b"\r\n\r\n", 1)[1]
        await slow.send({"type": "connection_init"})
        assert await slow.message() == b'{"type":"connection_ack"}'
        return slow

    async def send(self, message: object) -> None:
        payload = orjson.dumps(message)
        size = len(payload)
        length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2)
        # Masked with zeros: RFC 6455 asks for a mask, not for a good one.
        await self._write(b"\x81" + length + bytes(4) + payload)

    async def message(self) -> bytes:
        """The payload of the next frame."""
        return (await self._frame())[1]

    async def close_code(self) -> int | None:
        """Read on to the close frame; None when the line ends without one."""
        while True:
            try:
                opcode, payload = await self._frame()
            except EOFError:
                return None
            if opcode == 8:
                return int.from_bytes(payload[:2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._plug.close()

    async def _frame(self) -> tuple[int, bytes]:
        head = await self._exactly(2)
        size = head[1] & 127
        if size > 125:
            size = int.from_bytes(await self._exactly(2 if size == 126 else 8))
        return head[0] & 15, await self._exactly(size)

    async def _exactly(self, count: int) -> bytes:
        while len(self._received) < count:
            await self._read()
        found, self._received = self._received[:count], self._received[count:]
        return found

    async def _read(self) -> None:
        async with asyncio.timeout(10):
            block = await asyncio.get_running_loop().sock_recv(self._plug, 65_536)
        if not block:
            raise EOFError
        self._received += block

    async def _write(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._plug, data)
