"""The full set of headers, exactly: what is there, and that nothing else is."""

import re

import pytest

from tests.gateway.conftest import World, serving
from tests.gateway.wire import HANDSHAKE, Answer, ask_raw, wire

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "permissions-policy": None,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
    "date": None,
    "content-length": None,
    "content-type": "application/json",
    "x-correlation-id": None,
    "traceresponse": None,
}
CLOSING = {**EVERYWHERE, "connection": "close"}
PAGE = {
    **EVERYWHERE,
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-cache",
    "content-security-policy": None,
    "etag": None,
}
TEXT = {**EVERYWHERE, "content-type": "text/plain; charset=utf-8"}

BODY = b'{"query":"{ hello }"}'
POST = (
    b"POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: %s\r\ncontent-length: 21\r\n"
    b"accept: application/json\r\n\r\n" + BODY
)


def expect(answer: Answer, status: int, headers: dict[str, str | None]) -> None:
    assert answer.status == status
    assert sorted(answer.names) == sorted(headers)  # sorted, not a set: none of them twice
    for name, value in headers.items():
        assert value is None or answer.headers[name] == value, name


def get(path: bytes) -> bytes:
    return b"GET %s HTTP/1.1\r\nhost: x\r\n\r\n" % path


@pytest.mark.parametrize(
    ("request_bytes", "status", "headers"),
    [
        (POST % b"application/json", 200, EVERYWHERE),
        (POST % b"text/plain", 400, EVERYWHERE),
        (get(b"/graphql"), 405, {**EVERYWHERE, "allow": "POST"}),
        (b"DELETE" + get(b"/livez")[3:], 405, {**EVERYWHERE, "allow": None}),
        (get(b"/livez"), 200, EVERYWHERE),
        (get(b"/readyz"), 200, EVERYWHERE),
        (get(b"/nowhere"), 404, EVERYWHERE),
        (get(b"/metrics"), 200, {**TEXT, "content-type": None, "vary": "accept-encoding"}),
        (get(b"/"), 200, {**PAGE, "vary": "accept-encoding"}),
        (get(b"/" + b"a" * 9000), 414, CLOSING),
        (get(b"/").replace(b"host", b"ghost"), 400, CLOSING),
    ],
    ids=lambda value: value[:24].decode() if isinstance(value, bytes) else "",
)
async def test_answers_have_these_headers_and_no_others(
    shared: World, request_bytes: bytes, status: int, headers: dict[str, str | None]
) -> None:
    async with wire(shared) as connection:
        await connection.send(request_bytes)
        expect(await connection.answer(), status, headers)


async def test_a_refused_handshake_has_them_and_an_accepted_one_needs_none(shared: World) -> None:
    refused = await ask_raw(shared, HANDSHAKE % b"origin: https://evil.example\r\n")
    malformed = await ask_raw(shared, HANDSHAKE.replace(b"version: 13", b"version: 7") % b"")
    async with wire(shared) as connection:
        await connection.send(HANDSHAKE % b"")
        accepted = Answer.of(await connection.reader.readuntil(b"\r\n\r\n"))

    expect(refused, 403, CLOSING)
    expect(malformed, 400, CLOSING)
    expect(
        Answer(accepted.status, accepted.headers, [n for n in accepted.names if n]),
        101,
        {
            "date": None,
            "upgrade": "websocket",
            "connection": "Upgrade",
            "sec-websocket-accept": None,
            "sec-websocket-protocol": "graphql-transport-ws",
            "x-correlation-id": None,
            "traceresponse": None,
        },
    )


async def test_every_power_is_denied_to_everybody(shared: World) -> None:
    policy = (await shared.client.get("/livez")).headers["permissions-policy"]

    assert re.fullmatch(r"[a-z-]+=\(\)(, [a-z-]+=\(\))*", policy)
    for power in ("camera", "microphone", "geolocation", "payment", "usb", "hid", "serial"):
        assert f"{power}=()" in policy


async def test_strict_transport_is_said_over_tls_alone() -> None:
    forwarded = {"x-forwarded-for": "203.0.113.7", "x-forwarded-proto": "https"}
    async with serving(trusted_proxies="127.0.0.1") as world:
        encrypted = await world.client.get("/livez", headers=forwarded)
        plain = await world.client.get("/livez")
    async with serving() as world:
        disbelieved = await world.client.get("/livez", headers=forwarded)

    assert encrypted.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in plain.headers
    assert "strict-transport-security" not in disbelieved.headers


async def test_the_operations_port_has_them_too(shared: World) -> None:
    answer = await shared.client.get(shared.operations_url + "/livez")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "server" not in answer.headers
