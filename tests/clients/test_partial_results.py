"""What clients make of an answer with data and errors: evidence for docs/clients.md.

The server is a stub on purpose: ours answers with one status only, and these are to be compared.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport

from tests.clients.npm import run_script, workplace

pytestmark = pytest.mark.timeout(300)  # the first of a machine installs the packages

DATA = {"good": "1", "bad": None}
BODY = {"data": DATA, "errors": [{"message": "no", "path": ["bad"], "extensions": {"code": "NO"}}]}
MEDIA = {"json": "application/json", "modern": "application/graphql-response+json; charset=utf-8"}
# 294 is what the draft of GraphQL over HTTP gives to partial data.
STATUSES = (200, 294)


class Stub(BaseHTTPRequestHandler):
    """Answers /<status>/<media> with one body."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        _, status, media = self.path.split("/")
        body = json.dumps(BODY).encode()
        self.send_response(int(status))
        self.send_header("content-type", MEDIA[media])
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def stub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_javascript_clients_do_not_mind_the_status(stub: str, tmp_path: Path):
    place = workplace(tmp_path, "statuses.mjs")

    lines = run_script(place, "statuses.mjs", stub, *map(str, STATUSES)).splitlines()
    answers = [json.loads(line) for line in lines]

    assert [(a["status"], a["media"]) for a in answers] == [
        (status, media) for status in STATUSES for media in MEDIA
    ]
    for answer in answers:
        assert answer["made"] == {
            "apollo none": made("CombinedGraphQLErrors"),
            "apollo all": made(None),
            "urql": made(None),
            "graphql-request none": made("ClientError"),
            "graphql-request all": made(None),
        }


def made(thrown: str | None) -> dict[str, Any]:
    return {"thrown": thrown, "data": DATA, "codes": ["NO"]}


@pytest.mark.parametrize("transport", [AIOHTTPTransport, HTTPXAsyncTransport])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("media", MEDIA)
async def test_gql_does_not_mind_the_status(stub: str, transport: Any, status: int, media: str):
    async with Client(transport=transport(url=f"{stub}/{status}/{media}")) as session:
        with pytest.raises(TransportQueryError) as raised:
            await session.execute(gql("{ good bad }"))

    assert raised.value.data == DATA
    assert raised.value.errors == BODY["errors"]
