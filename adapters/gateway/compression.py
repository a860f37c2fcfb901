"""Whole answers of text, compressed for who accepts it: zstd, br or gzip by the client's weights.

Streams are left alone: one that is flushed per event compresses badly and one that is not arrives
late. So is what carries a coding already (files compressed when they were built). WebSockets never
come here: a shared frame is the same bytes for everybody, a compressed one is not.
"""

import asyncio
import sys
import zlib
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus

import brotli
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Levels for answers made once and sent once: 82 kB of candles become 20 kB by each, for 0.2 ms
# (zstd), 0.9 ms (br) and 2.5 ms (gzip) of CPU.
_ZSTD_LEVEL = 3
_BROTLI_QUALITY = 4
_GZIP_LEVEL = 6
_GZIP_WINDOW_BITS = 31  # zlib's way to say: with a gzip header
# From here on it would hold up the loop; a thread costs less.
_THREAD_BYTES_MIN = 64 * 1024

_TEXT_TYPES = frozenset({"application/json", "application/javascript", "image/svg+xml"})
_START = "http.response.start"


def _gzip(body: bytes) -> bytes:
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW_BITS)
    return compressor.compress(body) + compressor.flush()


# In the order of our preference where the client has none.
_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstd.compress(body, _ZSTD_LEVEL),
    "br": lambda body: bytes(brotli.compress(body, quality=_BROTLI_QUALITY)),
    "gzip": _gzip,
}


class CompressionMiddleware:
    """Compresses answers of ``bytes_min`` and more."""

    def __init__(self, app: ASGIApp, *, bytes_min: int) -> None:
        self.app = app
        self._bytes_min = bytes_min

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        accepted = ", ".join(Headers(scope=scope).getlist("accept-encoding"))
        answer = _Answer(send, coding_of(accepted), self._bytes_min)
        await self.app(scope, receive, answer.send)


class _Answer:
    """One answer on its way out; its head waits until the size of its body is known."""

    def __init__(self, send: Send, coding: str | None, bytes_min: int) -> None:
        self._send = send
        self._coding = coding
        self._bytes_min = bytes_min
        self._head: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == _START:
            await self._begin(message)
        elif self._head is not None:
            head, self._head = self._head, None
            await self._finish(head, message)
        else:
            await self._send(message)

    async def _begin(self, head: Message) -> None:
        head.setdefault("headers", [])
        headers = MutableHeaders(scope=head)
        if head["status"] == HTTPStatus.NOT_MODIFIED:
            # Says what the whole answer would have said.
            headers.add_vary_header("accept-encoding")
            if self._coding is not None:
                _weaken(headers)
        elif _compressible(head["status"], headers):
            self._head = head
            return
        await self._send(head)

    async def _finish(self, head: Message, message: Message) -> None:
        body = message.get("body", b"")
        if message.get("more_body", False) or len(body) < self._bytes_min:
            await self._send(head)
            await self._send(message)
            return
        headers = MutableHeaders(scope=head)
        headers.add_vary_header("accept-encoding")
        if self._coding is not None:
            body = await _compressed(body, self._coding)
            headers["content-encoding"] = self._coding
            headers["content-length"] = str(len(body))
            _weaken(headers)
        await self._send(head)
        await self._send({**message, "body": body})


async def _compressed(body: bytes, coding: str) -> bytes:
    compress = _CODINGS[coding]
    if len(body) < _THREAD_BYTES_MIN:
        return compress(body)
    return await asyncio.to_thread(compress, body)


def _compressible(status: int, headers: Headers) -> bool:
    if status in (HTTPStatus.NO_CONTENT, HTTPStatus.PARTIAL_CONTENT):
        return False
    if "content-encoding" in headers or "no-transform" in headers.get("cache-control", ""):
        return False
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/event-stream":
        return False
    return kind.startswith("text/") or kind.endswith(("+json", "+xml")) or kind in _TEXT_TYPES


def _weaken(headers: MutableHeaders) -> None:
    """The same content in other bytes: a strong ETag would promise the same bytes."""
    etag = headers.get("etag")
    if etag is not None and not etag.startswith("W/"):
        headers["etag"] = f"W/{etag}"


@lru_cache(maxsize=256)
def coding_of(accept_encoding: str) -> str | None:
    """The coding this client likes best, or None to send the answer as it is (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        name, *parameters = (part.strip() for part in item.split(";"))
        weights[name] = _weight(parameters)
    others = weights.get("*", 0.0)
    offered = {coding: weights.get(coding, others) for coding in _CODINGS}
    best = max(offered, key=lambda coding: offered[coding])
    plain = weights.get("identity", 0.0)
    return best if offered[best] > 0 and offered[best] >= plain else None


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                return 0.0
            return weight if 0 <= weight <= 1 else 0.0
    return 1.0
