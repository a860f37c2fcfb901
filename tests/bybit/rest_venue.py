"""A REST venue on loopback whose every answer a test writes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from adapters.bybit import BybitAddresses
from domain.market import Source

Json = dict[str, Any]


@dataclass
class Reply:
    body: object = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None


Script = Callable[[str, dict[str, str]], Reply]


def ok(result: Json, **extra: object) -> Reply:
    return Reply({"retCode": 0, "retMsg": "OK", "result": result, "time": 1786310817583, **extra})


def refusal(code: int, **headers: str) -> Reply:
    body = {"retCode": code, "retMsg": "no", "result": {}, "time": 1}
    return Reply(body, headers={k.replace("_", "-"): v for k, v in headers.items()})


class RestVenue:
    def __init__(self) -> None:
        self.script: Script = lambda _path, _query: ok({})
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.cookies: list[str | None] = []
        self.released = threading.Event()
        """Set at the end, so that a hanging answer hangs no test."""
        self.drip = False
        """Send bodies byte by byte, a tenth of a second each."""
        self.port = 0

    @property
    def addresses(self) -> BybitAddresses:
        base = f"127.0.0.1:{self.port}"
        return BybitAddresses(f"http://{base}", f"ws://{base}", Source.SANDBOX)

    def answers(self, *replies: Reply) -> None:
        """Give these in turn, the last one for ever."""
        left = list(replies)
        self.script = lambda _path, _query: left.pop(0) if len(left) > 1 else left[0]

    def hang(self, seconds: float = 30) -> None:
        def script(_path: str, _query: dict[str, str]) -> Reply:
            self.released.wait(seconds)
            return Reply(raw=b"", status=503)

        self.script = script

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        query = dict(parse_qsl(url.query))
        self.asked.append((url.path, query))
        self.cookies.append(handler.headers.get("Cookie"))
        reply = self.script(url.path, query)
        raw = orjson.dumps(reply.body) if reply.raw is None else reply.raw
        handler.send_response(reply.status)
        for name, value in {"Set-Cookie": "cdn=1", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        for byte in raw if self.drip else b"":
            handler.wfile.write(bytes((byte,)))
            if self.released.wait(0.1):
                return
        handler.wfile.write(raw)


@contextmanager
def rest_venue() -> Iterator[RestVenue]:
    venue = RestVenue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                venue.handle(self)
            except ConnectionError:
                pass  # the client gave up, as it should

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    venue.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), name="rest-venue")
    thread.start()
    try:
        yield venue
    finally:
        venue.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
