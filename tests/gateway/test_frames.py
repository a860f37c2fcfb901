"""Frames of graphql-transport-ws: whatever arrives becomes a value, whatever leaves is JSON."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.gateway.operations import OperationRequest
from adapters.gateway.sockets import frames
from adapters.gateway.sockets.frames import (
    Complete,
    Init,
    Malformed,
    Ping,
    Pong,
    Subscribe,
    parse,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=10
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=3)
IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=frames.ID_LENGTH_MAX)


@given(st.text() | st.binary())
def test_anything_at_all_becomes_a_frame(received: str | bytes) -> None:
    assert isinstance(parse(received), frames.Frame)


@given(
    st.dictionaries(
        st.sampled_from(["type", "id", "payload", "x"]),
        JSON | st.sampled_from(["subscribe", "complete", "ping", "pong", "connection_init"]),
    )
)
def test_any_object_becomes_a_frame(message: dict[str, object]) -> None:
    assert isinstance(parse(orjson.dumps(message).decode()), frames.Frame)


@given(IDS, TEXT, st.none() | OBJECTS, st.none() | TEXT, st.none() | OBJECTS)
def test_a_subscribe_is_read_whole(
    operation_id: str,
    query: str,
    variables: dict[str, object] | None,
    name: str | None,
    extensions: dict[str, object] | None,
) -> None:
    payload = {
        "query": query,
        "variables": variables,
        "operationName": name,
        "extensions": extensions,
        "documentId": None,
    }
    sent = orjson.dumps({"type": "subscribe", "id": operation_id, "payload": payload}).decode()

    expected = OperationRequest(query, variables, name, extensions)
    assert parse(sent) == Subscribe(operation_id, expected)


@pytest.mark.parametrize(
    ("sent", "frame"),
    [
        ('{"type":"connection_init"}', Init({})),
        ('{"type":"connection_init","payload":null}', Init({})),
        ('{"type":"connection_init","payload":{"a":1}}', Init({"a": 1})),
        ('{"type":"ping"}', Ping(None)),
        ('{"type":"ping","payload":{"at":1}}', Ping({"at": 1})),
        ('{"type":"pong","payload":{}}', Pong()),
        ('{"type":"complete","id":"a"}', Complete("a")),
        ('{"type":"complete","id":"' + "i" * 128 + '"}', Complete("i" * 128)),
    ],
)
def test_well_formed_frames(sent: str, frame: frames.Frame) -> None:
    assert parse(sent) == frame


@pytest.mark.parametrize(
    "sent",
    [
        "1e999",
        "1" * 100_000,
        '"\\ud800"',
        "[" * 100_000,
        '{"a":' * 2000 + "1" + "}" * 2000,
        '{"type":"connection_init","payload":[]}',
        '{"type":"pong","payload":1}',
        '{"type":"complete","id":"' + "i" * 129 + '"}',
        '{"type":"complete","id":1}',
        '{"type":"subscribe","id":"1","payload":{}}',
        '{"type":"subscribe","id":"1","payload":{"documentId":1}}',
        '{"type":"subscribe","id":"1","payload":{"extensions":{}}}',
        '{"type":"start","id":"1","payload":{"query":"{a}"}}',
        b'{"type":"ping"}',
    ],
    ids=lambda sent: repr(sent[:40]),
)
def test_malformed_frames_have_a_reason_that_fits(sent: str | bytes) -> None:
    frame = parse(sent)

    assert isinstance(frame, Malformed)
    assert frame.reason == frames.reason_of(frame.reason)
    assert "canary" not in frame.reason


@pytest.mark.parametrize(
    ("payload", "request_"),
    [
        ({"documentId": "sha256:00"}, OperationRequest(None, document_id="sha256:00")),
        (
            {"extensions": {"persistedQuery": {"version": 1}}},
            OperationRequest(None, extensions={"persistedQuery": {"version": 1}}),
        ),
    ],
)
def test_a_document_may_be_named_instead(
    payload: dict[str, object], request_: OperationRequest
) -> None:
    sent = orjson.dumps({"type": "subscribe", "id": "1", "payload": payload}).decode()

    assert parse(sent) == Subscribe("1", request_)


@given(IDS, JSON)
def test_outbound_frames_are_json_with_the_id_as_given(operation_id: str, payload: object) -> None:
    value = orjson.loads(frames.next_frame(operation_id, payload))
    error = orjson.loads(frames.error_frame(operation_id, [payload]))
    end = orjson.loads(frames.complete_frame(operation_id))

    assert value == {"id": operation_id, "type": "next", "payload": payload}
    assert error == {"id": operation_id, "type": "error", "payload": [payload]}
    assert end == {"id": operation_id, "type": "complete"}


@given(st.none() | OBJECTS)
def test_a_pong_carries_what_the_ping_did(payload: dict[str, object] | None) -> None:
    expected = {"type": "pong"} if payload is None else {"type": "pong", "payload": payload}

    assert orjson.loads(frames.pong(payload)) == expected


@given(st.text())
def test_reasons_fit_into_a_close_frame(text: str) -> None:
    reason = frames.reason_of(text)

    assert len(reason.encode()) <= frames.REASON_BYTES_MAX
    if len(text.encode("utf-8", "replace")) <= frames.REASON_BYTES_MAX - 3:
        assert reason == text.encode("utf-8", "replace").decode()
