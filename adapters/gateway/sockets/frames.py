"""graphql-transport-ws, its frames: from text to values and back. Pure.

The protocol is PROTOCOL.md of graphql-ws (version 5 and later). Where it says "MAY be omitted"
null is accepted, too.
"""

from dataclasses import dataclass
from json import JSONDecodeError
from typing import Any

import orjson

from adapters.gateway.operations import MalformedRequest, OperationRequest, request_of

ID_LENGTH_MAX = 128
REASON_BYTES_MAX = 123

ACK = b'{"type":"connection_ack"}'
PING = b'{"type":"ping"}'


@dataclass(frozen=True, slots=True)
class Init:
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ping:
    payload: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Pong:
    pass


@dataclass(frozen=True, slots=True)
class Subscribe:
    id: str
    request: OperationRequest


@dataclass(frozen=True, slots=True)
class Complete:
    id: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """Nothing the protocol knows; ``reason`` goes into the close frame."""

    reason: str


Frame = Init | Ping | Pong | Subscribe | Complete | Malformed


def parse(frame: str | bytes) -> Frame:
    """What a client sent. Never raises."""
    if isinstance(frame, bytes):
        return Malformed("Send text frames, not binary ones")
    try:
        # orjson: no NaN, no infinity, no lone surrogates, and a bound on depth.
        message = orjson.loads(frame)
    except JSONDecodeError:
        return Malformed("The message is not valid JSON")
    if not isinstance(message, dict):
        return Malformed("A message must be a JSON object")
    match message.get("type"):
        case "subscribe":
            return _subscribe(message)
        case "complete":
            return Complete(message["id"]) if _has_id(message) else _bad_id("complete")
        case kind:
            return _of_connection(kind, message.get("payload"))


def _of_connection(kind: object, payload: object) -> Frame:
    if not isinstance(payload, dict | None):
        return Malformed("The payload must be an object")
    match kind:
        case "connection_init":
            return Init(payload or {})
        case "ping":
            return Ping(payload)
        case "pong":
            return Pong()
        case _:
            return Malformed("A message must have a type that the protocol knows")


def _subscribe(message: dict[str, Any]) -> Subscribe | Malformed:
    if not _has_id(message):
        return _bad_id("subscribe")
    try:
        return Subscribe(message["id"], request_of(message.get("payload")))
    except MalformedRequest as problem:
        return Malformed(f"subscribe: {problem}")


def _has_id(message: dict[str, Any]) -> bool:
    found = message.get("id")
    return isinstance(found, str) and 0 < len(found) <= ID_LENGTH_MAX


def _bad_id(kind: str) -> Malformed:
    return Malformed(f"{kind} must have an id of 1 to {ID_LENGTH_MAX} characters")


def pong(payload: dict[str, Any] | None) -> bytes:
    """The answer to a ping, with what it carried."""
    message: dict[str, object] = {"type": "pong"}
    if payload is not None:
        message["payload"] = payload
    return orjson.dumps(message)


def next_prefix(operation_id: str) -> bytes:
    """What a value's frame begins with; the JSON of the payload and ``NEXT_END`` follow.

    Apart so that one encoded payload can be framed for many operations.
    """
    return b'{"id":%b,"type":"next","payload":' % orjson.dumps(operation_id)


NEXT_END = b"}"


def next_frame(operation_id: str, payload: object) -> bytes:
    """One value. Raises TypeError when ``payload`` has no JSON."""
    return next_prefix(operation_id) + orjson.dumps(payload) + NEXT_END


def error_frame(operation_id: str, errors: object) -> bytes:
    """The end of an operation that could not run."""
    return orjson.dumps({"id": operation_id, "type": "error", "payload": errors})


def complete_frame(operation_id: str) -> bytes:
    """The end of an operation."""
    return orjson.dumps({"id": operation_id, "type": "complete"})


def reason_of(text: str) -> str:
    """``text`` as far as it fits into a close frame: at most 123 bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:REASON_BYTES_MAX].decode("utf-8", "ignore")
