"""Who may use which field, as a page for people: docs/authorization.md.

Made of the same policies that the guard enforces; a test executes every field as every caller and
compares what happens with the page, which is read by whoever reviews a change.
"""

from collections.abc import Iterator
from typing import NamedTuple

from graphql import GraphQLObjectType
from strawberry.types.base import StrawberryObjectDefinition

from domain.kernel.errors import Forbidden, Unauthenticated
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.policy import FieldPolicy, refusal
from domain.kernel.viewer import ANONYMOUS, Role, Viewer
from schema.root import build_schema

CALLERS: dict[str, frozenset[Role] | None] = {
    "anonymous": None,
    "user": frozenset({Role.USER}),
    "developer": frozenset({Role.USER, Role.DEVELOPER}),
    "support": frozenset({Role.USER, Role.SUPPORT}),
    "compliance": frozenset({Role.USER, Role.COMPLIANCE}),
    "treasury": frozenset({Role.USER, Role.TREASURY}),
    "admin": frozenset({Role.USER, Role.ADMIN}),
}
"""Every kind of caller and their roles; None: nobody is signed in."""

_HEAD = """# Who may what

Made by `python app.py schema --write` of the policies in `schema/`; do not edit. A field that is
not here has no policy of its own: it is reached through one that has. Root fields without a policy
stop the import.

- `allowed`: the field answers. `viewer` answers null when nobody is signed in.
- `UNAUTHENTICATED`, `FORBIDDEN`: the code of the error. A mutation that was forbidden is a line of
  the audit log, once an hour per person and mutation.
- `STEP_UP`: allowed to who signed in with a second factor within five minutes; that sign-in is
  spent on the very operation and input. Else STEP_UP_REQUIRED.

What gives power, shows what is hidden or cannot be undone asks for a step-up. What takes access
away never does (freezing, ending sessions, withdrawing a role): somebody who was robbed of a phone,
and whoever helps them, has to be quick.

Money is seen by compliance, treasury and administrators, and corrected by treasury and
administrators, always two of them. Support sees none of it: its screens are the ones most often
seen over a shoulder, and nothing it does needs a balance.

"""


class GuardedField(NamedTuple):
    """A field with a policy of its own."""

    type_name: str
    name: str
    policy: FieldPolicy

    def __str__(self) -> str:
        return f"{self.type_name}.{self.name}"


def guarded_fields() -> Iterator[GuardedField]:
    """Root types first, then by name of the type; fields in the schema's order."""
    schema = build_schema()
    types = schema._schema.type_map  # noqa: SLF001  # strawberry shows it nowhere else
    roots = ["Query", "Mutation", "Subscription"]
    for type_name in (*roots, *sorted(types.keys() - set(roots))):
        gql = types[type_name]
        definition = gql.extensions.get("strawberry-definition")
        if not isinstance(gql, GraphQLObjectType):
            continue
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        for field in definition.fields:
            policy = field.metadata.get("policy")
            if isinstance(policy, FieldPolicy):
                name = schema.config.name_converter.from_field(field)
                yield GuardedField(type_name, name, policy)


def verdict(policy: FieldPolicy, roles: frozenset[Role] | None) -> str:
    """What becomes of a caller at such a field."""
    viewer = ANONYMOUS if roles is None else Viewer(UserId(new_uuid7()), roles)
    match refusal(policy, viewer):
        case Unauthenticated():
            return "UNAUTHENTICATED"
        case Forbidden():
            return "FORBIDDEN"
        case None:
            return "allowed" if policy.step_up is None else "STEP_UP"


def print_authorization() -> str:
    """The page, ending in a newline."""
    columns = ["field", "cost", "delivery", *CALLERS]
    rows = [columns, ["---"] * len(columns)]
    for field in guarded_fields():
        delivery = field.policy.delivery.value if field.type_name == "Subscription" else ""
        cells = [verdict(field.policy, roles) for roles in CALLERS.values()]
        rows.append([f"`{field}`", str(field.policy.cost), delivery, *cells])
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)
