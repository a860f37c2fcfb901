"""Every field with a policy, executed as every kind of caller, against the reviewed page."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
)

from domain.kernel.ids import UserId
from domain.kernel.viewer import ANONYMOUS, SignedIn, Viewer
from domain.users.errors import StepUpRequired
from schema import build_schema, print_authorization
from schema.authorization import CALLERS, GuardedField, guarded_fields

PAGE = Path(__file__).parents[2] / "docs" / "authorization.md"
SCHEMA = build_schema()
TYPES = SCHEMA._schema.type_map
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
ROOTS = ("Query", "Mutation", "Subscription")
FIELDS = list(guarded_fields())
VERDICTS = {"UNAUTHENTICATED": "UNAUTHENTICATED", "FORBIDDEN": "FORBIDDEN",
            "STEP_UP_REQUIRED": "STEP_UP"}  # fmt: skip


class Reached(Exception):
    """The guard let the caller through to the resolver."""


class Users:
    """Asks everybody for a step-up and does nothing else."""

    @property
    def step_up(self) -> "Users":
        return self

    def __getattr__(self, name: str) -> Any:
        raise Reached

    async def refusal(self, *_: object) -> StepUpRequired:
        return StepUpRequired(300, ("totp",))


@dataclass
class Context:
    """Nothing behind the guard answers."""

    viewer: Viewer

    @property
    def users(self) -> Any:
        return Users()

    @property
    def wallets(self) -> Any:
        raise Reached

    @property
    def services(self) -> Any:
        raise Reached

    @property
    def loaders(self) -> Any:
        raise Reached


def caller(name: str) -> Viewer:
    roles = CALLERS[name]
    if roles is None:
        return ANONYMOUS
    signed_in = SignedIn(UUID(int=1), NOW, NOW, None, True, "192.0.2.7", "test")
    return Viewer(UserId(UUID(int=2)), roles, signed_in)


def some(gql: Any) -> str:
    """Any value of a type, as GraphQL writes it."""
    nullable: Any = get_nullable_type(gql)
    if is_list_type(nullable):
        return f"[{some(nullable.of_type)}]"
    if isinstance(nullable, GraphQLEnumType):
        return str(next(iter(nullable.values)))
    if isinstance(nullable, GraphQLInputObjectType):
        fields = nullable.fields.items()
        needed = {n: f for n, f in fields if isinstance(f.type, GraphQLNonNull)}
        if nullable.extensions["strawberry-definition"].is_one_of:
            needed = dict([next(iter(fields))])
        return f"{{{', '.join(f'{n}: {some(f.type)}' for n, f in needed.items())}}}"
    known = {"Int": "1", "Boolean": "true", "UUID": f'"{UUID(int=1)}"'}
    return known.get(nullable.name, '"1"')


def asked(field: GuardedField) -> str:
    """The field with whatever arguments it insists on, and the least selection."""
    gql: Any = TYPES[field.type_name]
    definition = gql.fields[field.name]
    given = [
        f"{name}: {some(argument.type)}"
        for name, argument in definition.args.items()
        if isinstance(argument.type, GraphQLNonNull)
    ]
    arguments = f"({', '.join(given)})" if given else ""
    shown = get_named_type(definition.type)
    if isinstance(shown, GraphQLUnionType):
        return f"{field.name}{arguments} {{ ... on UserError {{ code }} }}"
    selection = "" if is_leaf_type(shown) else "{ __typename }"
    return f"{field.name}{arguments} {selection}"


async def happened(field: GuardedField, viewer: Viewer) -> str:
    """What becomes of a caller at a field, by executing it."""
    if field.type_name not in ROOTS:
        return await resolved(field, viewer)
    document = f"{field.type_name.lower()} {{ {asked(field)} }}"
    result: Any
    if field.type_name == "Subscription":
        source: Any = await SCHEMA.subscribe(document, context_value=Context(viewer))
        (result,) = [result async for result in source]
    else:
        result = await SCHEMA.execute(document, context_value=Context(viewer))
    codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
    shown = (result.data or {}).get(field.name)
    if isinstance(shown, dict):
        codes.append(shown.get("code"))
    found = [VERDICTS[code] for code in codes if code in VERDICTS]
    return found[0] if found else "allowed"


async def resolved(field: GuardedField, viewer: Viewer) -> str:
    """A nested field on its own: its guard must hold whatever stands above it."""
    gql: Any = TYPES[field.type_name]
    definition = gql.fields[field.name]
    needed = [n for n, a in definition.args.items() if isinstance(a.type, GraphQLNonNull)]
    info = SimpleNamespace(context=Context(viewer), field_name=field.name)
    try:
        await definition.resolve(SimpleNamespace(id=UUID(int=3)), info, **dict.fromkeys(needed, ""))
    except (Reached, AttributeError, TypeError):
        # Behind the guard: what asks nobody reads its parent and arguments, and here is neither.
        return "allowed"
    except GraphQLError as error:
        code = (error.extensions or {})["code"]
        return "allowed" if code == "BAD_INPUT" else VERDICTS[code]
    raise AssertionError(f"{field} answered without a service")


def reviewed() -> dict[tuple[str, str], str]:
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| ")
    ]
    columns = rows[0]
    return {
        (row[0].strip("`"), columns[i]): row[i] for row in rows[2:] for i in range(3, len(columns))
    }


def test_the_page_is_made_of_the_policies():
    assert PAGE.read_text() == print_authorization(), "run: python app.py schema --write"


@pytest.mark.parametrize("field", FIELDS, ids=str)
async def test_every_caller_fares_as_the_page_says(field: GuardedField):
    page = reviewed()

    for name in CALLERS:
        assert await happened(field, caller(name)) == page[str(field), name], name


def test_every_root_field_is_on_the_page():
    roots = [TYPES[name] for name in ROOTS]
    names = {
        f"{root.name}.{name}"
        for root in roots
        if isinstance(root, GraphQLObjectType)
        for name in root.fields
    }

    assert names <= {field for field, _ in reviewed()}
    assert {caller for _, caller in reviewed()} == set(CALLERS)
