"""Comparing what we send with what was recorded: keys in order, JSON types, number formats."""

from typing import Any

from tests.sandbox.exchange.support import Json


def shape(value: object) -> object:
    """Keys in order and JSON types; a list is the shape of its first element."""
    if isinstance(value, dict):
        return [(key, shape(inner)) for key, inner in value.items()]
    if isinstance(value, list):
        return [shape(inner) for inner in value[:1]]
    return type(value).__name__


def decimals(number: str) -> int:
    return len(number.partition(".")[2])


def is_trimmed(number: str) -> bool:
    return not (decimals(number) and number.endswith("0"))


def received(recorded: list[Json], category: str, topic: str, kind: str = "snapshot") -> list[Any]:
    return [
        row["msg"]
        for row in recorded
        if row["dir"] == "recv"
        and row["category"] == category
        and row["msg"].get("topic") == topic
        and row["msg"]["type"] == kind
    ]
