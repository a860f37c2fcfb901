"""Enums: domain words shown to clients, every value with its meaning."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

import strawberry

E = TypeVar("E", bound=type[Enum])


def words_of(
    shown: E, *, description: str, values: Mapping[str, str], name: str | None = None
) -> None:
    """Show a domain enum, with a description of each value.

    Raises TypeError while importing when a value has none, or a description has no value.
    """
    if values.keys() != shown.__members__.keys():
        odd = sorted(values.keys() ^ shown.__members__.keys())
        raise TypeError(f"{shown.__name__}: describe exactly its values; at odds: {odd}")
    strawberry.enum(shown, name=name, description=description)
    for value in shown.__strawberry_definition__.values:  # type: ignore[attr-defined]  # set above
        value.description = values[value.name]
