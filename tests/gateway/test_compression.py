"""Large whole answers are compressed by the client's weights; everything else is left alone."""

import gzip
import sys
from collections.abc import AsyncIterator, Callable

import brotli
import httpx
import orjson
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapters.gateway.compression import CompressionMiddleware, coding_of
from tests.gateway.conftest import World
from tests.gateway.wire import wire

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

UNDO: dict[str, Callable[[bytes], bytes]] = {
    "zstd": zstd.decompress,
    "br": brotli.decompress,
    "gzip": gzip.decompress,
}
TEXT = b"price " * 1000


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("", None),
        ("identity", None),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, br", "br"),
        ("gzip", "gzip"),
        ("GZip", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "gzip"),
        ("zstd;q=0, br;q=0.000, gzip;q=0.001", "gzip"),
        ("gzip;q=0", None),
        ("*", "zstd"),
        ("*;q=0", None),
        ("zstd;q=0, *", "br"),
        ("deflate, compress", None),
        ("identity, gzip;q=0.5", None),
        ("identity;q=0.5, gzip", "gzip"),
        ("gzip;q=nonsense", None),
        ("gzip;q=2", None),
        ("gzip;q=nan", None),
        (";;,=,q=1", None),
    ],
)
def test_the_client_weighs_the_codings(accepted: str, coding: str | None) -> None:
    assert coding_of(accepted) == coding


async def whole(request: Request) -> Response:
    size = int(request.query_params.get("size", "6000"))
    kind = request.query_params.get("kind", "application/json")
    headers = {"content-type": kind, "etag": '"v1"', "vary": "Origin"}
    return Response(TEXT[:size] if size <= len(TEXT) else b"x" * size, headers=headers)


async def streamed(request: Request) -> Response:
    async def events() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"data: " + TEXT + b"\n\n"

    return StreamingResponse(events(), media_type=request.query_params["kind"])


async def encoded(_request: Request) -> Response:
    headers = {"content-type": "text/css", "content-encoding": "br", "etag": '"v1"'}
    return Response(brotli.compress(TEXT * 10), headers=headers)


async def untouchable(_request: Request) -> Response:
    headers = {"content-type": "text/css", "cache-control": "no-store, no-transform"}
    return Response(TEXT, headers=headers)


async def unchanged(_request: Request) -> Response:
    return Response(status_code=304, headers={"etag": '"v1"'})


async def partial(_request: Request) -> Response:
    headers = {"content-type": "text/plain", "content-range": "bytes 0-5999/9999"}
    return Response(TEXT, status_code=206, headers=headers)


APP = Starlette(
    routes=[
        Route("/whole", whole),
        Route("/streamed", streamed),
        Route("/encoded", encoded),
        Route("/untouchable", untouchable),
        Route("/unchanged", unchanged),
        Route("/partial", partial),
    ],
    middleware=[Middleware(CompressionMiddleware, bytes_min=1024)],
)


async def fetch(path: str, accepted: str = "zstd", method: str = "GET") -> tuple[Response, bytes]:
    """The answer's head as a client sees it, and its body as it crossed the network."""
    transport = httpx.ASGITransport(app=APP)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://x") as client,
        client.stream(method, path, headers={"accept-encoding": accepted}) as answer,
    ):
        body = b"".join([part async for part in answer.aiter_raw()])
        return Response(status_code=answer.status_code, headers=dict(answer.headers)), body


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
@pytest.mark.parametrize("size", [1024, 6000, 200_000])
async def test_a_large_whole_answer_is_compressed(coding: str, size: int) -> None:
    answer, body = await fetch(f"/whole?size={size}", coding)
    _, plain = await fetch(f"/whole?size={size}", "")

    assert answer.headers["content-encoding"] == coding
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["etag"] == 'W/"v1"'
    assert answer.headers["vary"] == "Origin, accept-encoding"
    assert UNDO[coding](body) == plain
    assert len(body) < size / 4


@pytest.mark.parametrize(
    "path",
    [
        "/whole?size=1023",
        "/whole?kind=image/png",
        "/whole?kind=font/woff2",
        "/whole?kind=text/event-stream",
        "/untouchable",
        "/partial",
        "/streamed?kind=text/event-stream",
        "/streamed?kind=application/json",
        "/streamed?kind=multipart/mixed",
    ],
)
async def test_what_is_small_streamed_partial_or_no_text_is_left_alone(path: str) -> None:
    answer, body = await fetch(path, "zstd, br, gzip")
    _, plain = await fetch(path, "")

    assert "content-encoding" not in answer.headers
    assert body == plain
    assert not answer.headers.get("etag", "").startswith("W/")


async def test_what_is_encoded_already_is_not_encoded_again() -> None:
    answer, body = await fetch("/encoded", "zstd, br")

    assert answer.headers["content-encoding"] == "br"
    assert answer.headers["etag"] == '"v1"'
    assert brotli.decompress(body) == TEXT * 10


async def test_caches_learn_of_the_choice_even_when_it_was_no_coding() -> None:
    answer, body = await fetch("/whole", "")

    assert answer.headers["vary"] == "Origin, accept-encoding"
    assert answer.headers["etag"] == '"v1"'
    assert body == TEXT


async def test_not_modified_says_what_the_whole_answer_would_have_said() -> None:
    compressed, body = await fetch("/unchanged", "br")
    plain, _ = await fetch("/unchanged", "")

    assert (compressed.status_code, body) == (304, b"")
    assert (compressed.headers["etag"], plain.headers["etag"]) == ('W/"v1"', '"v1"')
    assert compressed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert "content-encoding" not in compressed.headers


async def test_a_head_is_that_of_the_whole_answer(shared: World) -> None:
    request = b"%s /graphiql HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n"
    async with wire(shared) as connection:
        await connection.send(request % b"GET")
        whole_answer = await connection.answer()
        await connection.send(request % b"HEAD")
        head = await connection.reader.readuntil(b"\r\n\r\n")
        await connection.send(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n")
        after = await connection.answer()

    assert whole_answer.headers["content-encoding"] == "gzip"
    assert b"</html>" in gzip.decompress(whole_answer.body)
    assert f"content-length: {len(whole_answer.body)}\r\n".encode() in head
    assert after.status == 200  # no byte of a body came after the head


async def test_pages_are_still_revalidated_when_they_came_compressed(shared: World) -> None:
    asked = {"accept-encoding": "gzip"}
    first = await shared.client.get("/graphiql", headers=asked)
    again = await shared.client.get(
        "/graphiql", headers={**asked, "if-none-match": first.headers["etag"]}
    )

    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["etag"].startswith('W/"')
    assert (again.status_code, again.headers["etag"]) == (304, first.headers["etag"])


@pytest.mark.parametrize("coding", ["zstd", "br", "gzip"])
async def test_graphql_answers_are_compressed_when_large(shared: World, coding: str) -> None:
    asked = {"accept-encoding": coding}
    query = orjson.dumps({"query": '{ hello(name: "%s") }' % ("ab " * 2000)})
    async with shared.client.stream(
        "POST", "/graphql", content=query, headers={**asked, "content-type": "application/json"}
    ) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    small = await shared.client.post("/graphql", json={"query": "{ hello }"}, headers=asked)

    assert answer.headers["content-encoding"] == coding
    assert orjson.loads(UNDO[coding](body))["data"]["hello"].startswith("hello ab ab ")
    assert "content-encoding" not in small.headers
