"""A runnable example of every operation: made from its arguments, or written by hand.

Hand-written ones are `<kind>.<field>.graphql` and, when they take variables, `.json` beside it, in
docs/reference/examples. The others ask for what is readable at a glance: a few plain fields.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

FOLDER = Path("docs") / "reference" / "examples"
FIELDS_MAX = 8

_BITCOIN = {"category": "LINEAR", "symbol": "BTCUSDT"}
# By the argument's name: values that exist in every sandbox.
_VALUES: dict[str, object] = {
    "category": "LINEAR",
    "symbol": "BTCUSDT",
    "instrument": _BITCOIN,
    "instruments": [_BITCOIN, {"category": "SPOT", "symbol": "ETHUSDT"}],
    "interval": "MINUTE_5",
    "text": "btc",
    "first": 3,
    "depth": 3,
    "maxPerSecond": 2,
}
_SHORT = {"first", "depth", "maxPerSecond"}


class NoExample(Exception):
    """An argument has no value to show: write the example by hand."""


@dataclass(frozen=True, slots=True)
class Example:
    """A document and its variables, ready to be sent."""

    document: str
    variables: dict[str, Any]

    @property
    def body(self) -> str:
        """What is posted: one line of JSON."""
        query = " ".join(self.document.split())
        whole = {"query": query, **({"variables": self.variables} if self.variables else {})}
        return json.dumps(whole, ensure_ascii=False)


def example_of(kind: str, name: str, field: GraphQLField, written: Path) -> Example:
    """The example of one operation; ``kind`` is query, mutation or subscription.

    Raises NoExample when an argument must be given and nothing fits.
    """
    document = written / f"{kind}.{name}.graphql"
    if document.exists():
        variables = document.with_suffix(".json")
        sent = json.loads(variables.read_text("utf-8")) if variables.exists() else {}
        return Example(document.read_text("utf-8").strip(), sent)
    given = {
        a: _value(f"{kind}.{name}", a, shape) for a, shape in field.args.items() if _shown(a, shape)
    }
    declared = ", ".join(f"${a}: {field.args[a].type}" for a in given)
    passed = ", ".join(f"{a}: ${a}" for a in given)
    lines = [
        f"{kind} {name[0].upper()}{name[1:]}{f'({declared})' if declared else ''} {{",
        f"  {name}{f'({passed})' if passed else ''}{_opening(field)}",
        *_selection(get_named_type(field.type), "    ", FIELDS_MAX),
        *(["  }"] if not is_leaf_type(get_named_type(field.type)) else []),
        "}",
    ]
    return Example("\n".join(lines), given)


def all_operations(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLField]]:
    """Kind, name and field of every operation, in the schema's order."""
    roots = (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    )
    for kind, root in roots:
        for name, field in root.fields.items() if root is not None else ():
            yield kind, name, field


def _shown(name: str, argument: GraphQLArgument) -> bool:
    # What may be left out is shown when it keeps the answer short.
    return is_required_argument(argument) or name in _SHORT


def _value(operation: str, name: str, argument: GraphQLArgument) -> object:
    if name in _VALUES:
        return _VALUES[name]
    wanted = get_named_type(argument.type)
    if isinstance(wanted, GraphQLEnumType):
        return next(iter(wanted.values))
    raise NoExample(
        f"{operation}({name}:) has no example value: write {FOLDER}/{operation}.graphql"
    )


def _opening(field: GraphQLField) -> str:
    return "" if is_leaf_type(get_named_type(field.type)) else " {"


def _selection(shown: GraphQLNamedType, indent: str, most: int) -> Iterator[str]:
    """Plain fields up to ``most``, then objects that are part of the value, one level deep.

    What takes arguments or may be null is a request of its own, and left out.
    """
    if not isinstance(shown, GraphQLObjectType):
        return
    plain = [n for n, f in shown.fields.items() if is_leaf_type(get_named_type(f.type))]
    if most == FIELDS_MAX and {"asOf", "stale"} <= set(plain[most:]):
        plain = [*plain[: most - 2], "asOf", "stale"]
    for name in plain[:most]:
        yield f"{indent}{name}"
    for name, field in shown.fields.items():
        inner = get_named_type(field.type)
        own = str(field.type).endswith("!") and not field.args
        if own and not is_leaf_type(inner) and len(indent) < len("    " * 3):
            yield f"{indent}{name} {{"
            yield from _selection(inner, f"{indent}  ", FIELDS_MAX if name in _PAGE else most // 2)
            yield f"{indent}}}"


# A page is a frame around what was asked for.
_PAGE = {"edges", "node"}
