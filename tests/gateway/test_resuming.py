"""Last-Event-ID: which values carry an id, and what becomes of the request that brings one."""

from typing import Any

import pytest
from graphql import build_schema, parse, print_ast

from adapters.gateway.events import next_event
from adapters.gateway.operations import OperationRequest
from adapters.gateway.resuming import event_id, resumed

SCHEMA = build_schema("""
    type Query { events(after: String): String }
    type Event { cursor: String }
    type Subscription { events(after: String, of: Int): Event, prices: Event }
""")
LAST = "djE6dXNlcjoxOjc"


def after(query: str, last: str | None = LAST, **more: Any) -> OperationRequest:
    return resumed(OperationRequest(query, **more), last, SCHEMA)


def same(query: str | None, expected: str) -> bool:
    return query is not None and print_ast(parse(query)) == print_ast(parse(expected))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "subscription { events { cursor } }",
            f'subscription {{ events(after: "{LAST}") {{ cursor }} }}',
        ),
        (
            'subscription { e: events(of: 1, after: "old") { cursor } }',
            f'subscription {{ e: events(of: 1, after: "{LAST}") {{ cursor }} }}',
        ),
        (
            "subscription { events(after: null) { ...F } } fragment F on Event { cursor }",
            (
                f'subscription {{ events(after: "{LAST}") {{ ...F }} }}'
                " fragment F on Event { cursor }"
            ),
        ),
    ],
)
def test_the_event_takes_the_place_of_after(query: str, expected: str):
    assert same(after(query).query, expected)


def test_a_variable_keeps_its_place_and_gets_another_value():
    query = "subscription($from: String, $of: Int) { events(after: $from, of: $of) { cursor } }"

    found = after(query, variables={"from": "old", "of": 1})

    assert found == OperationRequest(query, {"from": LAST, "of": 1})


def test_of_several_operations_the_one_that_runs():
    query = "subscription A { events { cursor } } subscription B { events { cursor } }"

    found = after(query, operation_name="B")

    expected = (
        f'subscription A {{ events {{ cursor }} }} subscription B {{ events(after: "{LAST}")'
        " { cursor } }"
    )
    assert same(found.query, expected)
    assert after(query).query == query


@pytest.mark.parametrize(
    "query",
    [
        "subscription { prices { cursor } }",
        "{ events }",
        "mutation { events }",
        "subscription { unknown { cursor } }",
        "subscription { ...F } fragment F on Subscription { events { cursor } }",
        "subscription {",
        "subscription { events { " + "cursor " * 1001 + "} }",
        "",
    ],
    ids=lambda query: query[:30],
)
def test_what_cannot_be_resumed_is_left_as_it_is(query: str):
    assert after(query) == OperationRequest(query)


@pytest.mark.parametrize("last", [None, "", "x" * 257])
def test_without_a_last_event_nothing_changes(last: str | None):
    query = "subscription { events { cursor } }"
    assert after(query, last) == OperationRequest(query)


def test_what_an_event_says_cannot_leave_its_place():
    found = after("subscription { events { cursor } }", '"){cursor}prices{cursor}#\\')

    document = parse(found.query or "")
    assert len(document.definitions[0].selection_set.selections) == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"data": None},
        {"data": {"events": None}},
        {"data": {"events": {"type": "x"}}},
        {"data": {"events": {"cursor": 7}}},
        {"data": {"events": {"cursor": ""}}},
        {"data": {"events": {"cursor": "a\nb"}}},
        {"data": {"events": {"cursor": "ü"}}},
        {"data": {"events": {"cursor": "x" * 257}}},
        {"data": {"events": {"cursor": LAST}, "more": {"cursor": LAST}}},
    ],
    ids=str,
)
def test_only_one_clear_cursor_is_an_id(payload: dict[str, object]):
    assert event_id(payload) is None
    assert next_event(payload).startswith(b"event: next\ndata: ")


def test_a_cursor_is_the_id_of_its_event():
    event = next_event({"data": {"renamed": {"cursor": LAST}}})

    assert (
        event
        == (
            f'event: next\nid: {LAST}\ndata: {{"data":{{"renamed":{{"cursor":"{LAST}"}}}}}}\n\n'
        ).encode()
    )
