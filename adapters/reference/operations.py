"""Sections about operations: what they take, give and cost, with an example that runs."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from graphql import GraphQLField, GraphQLSchema, GraphQLUnionType, get_named_type

from adapters.reference.examples import Example, all_operations, example_of
from adapters.reference.links import Known, default_of, error_links, linked, table, text_of
from domain.kernel.policy import Audience, Delivery, FieldPolicy
from domain.kernel.viewer import Role

_PAGES = {"query": "queries.md", "mutation": "mutations.md", "subscription": "subscriptions.md"}
_AUDIENCES = {
    Audience.ANYONE: "anyone",
    Audience.SIGNED_IN: "people who are signed in",
    Audience.STAFF: "staff",
}
_DELIVERIES = {
    Delivery.LATEST: "A reader too slow gets the newest value; older ones are left out.",
    Delivery.BOUNDED: "A reader too slow misses the oldest values, and is told how many.",
    Delivery.LOSSLESS: "Nothing is left out; a reader too slow is closed and told to resume.",
}
_GUIDE = "../guides/signing-in.md"
# For anyone, and empty for nobody.
_OF_SOMEBODY = {"viewer"}
# Where ./dev run listens; the served page shows the reader's own address instead.
ADDRESS = "http://127.0.0.1:8000/graphql"


def sections(
    schema: GraphQLSchema, known: Mapping[str, Known], written: Path
) -> dict[str, list[str]]:
    """The sections of each kind of operation, in the schema's order."""
    found: dict[str, list[str]] = {kind: [] for kind in _PAGES}
    for kind, name, field in all_operations(schema):
        told = known[f"{kind.capitalize()}.{name}"]
        found[kind].append(
            _section(kind, name, field, told, example_of(kind, name, field, written))
        )
    return found


def _section(kind: str, name: str, field: GraphQLField, known: Known, example: Example) -> str:
    parts = [f"## {name}", text_of(field.description, field.deprecation_reason)]
    if field.args:
        rows = [
            (
                f"`{argument}`",
                linked(value.type),
                default_of(value),
                text_of(value.description, value.deprecation_reason),
            )
            for argument, value in field.args.items()
        ]
        parts.append(table(("argument", "type", "default", "meaning"), rows))
    parts.append("\n".join(_facts(kind, name, field, known)))
    parts.append(f"```graphql\n{example.document}\n```")
    if example.variables:
        shown = json.dumps(example.variables, indent=2, ensure_ascii=False)
        parts.append(f"```json variables\n{shown}\n```")
    if kind != "subscription":
        parts.append(f"```sh\n{_curl(example, signed_in=bool(sandbox_user(name, known)))}\n```")
    return "\n\n".join(parts)


def _facts(kind: str, name: str, field: GraphQLField, known: Known) -> list[str]:
    gives = "Every value" if kind == "subscription" else "Returns"
    lines = [f"- {gives}: {linked(field.type)}", *_members(field)]
    if known.policy is not None:
        lines.append(f"- For: {audience_of(known.policy)}")
        if known.policy.step_up is not None:
            minutes = known.policy.step_up.max_age_seconds // 60
            lines.append(
                f"- Step-up: a sign-in with a second factor within {minutes} minutes, spent on "
                f"this ([how]({_GUIDE}#step-up))"
            )
        lines.append(f"- Cost: {known.policy.cost}, before list sizes count")
    if known.errors:
        lines.append(f"- Errors of its own: {error_links(known.errors)}")
    if kind == "subscription" and known.policy is not None:
        lines.append(f"- {_DELIVERIES[known.policy.delivery]}")
    if user := sandbox_user(name, known):
        lines.append(f"- In the sandbox ([how]({_GUIDE})): `ID_TOKEN=$(./dev token {user})`")
    return lines


def _members(field: GraphQLField) -> Iterator[str]:
    """Of a mutation's union: the success, and what may be there in its place."""
    named = get_named_type(field.type)
    if isinstance(named, GraphQLUnionType):
        success, *errors = (linked(member) for member in named.types)
        yield f"- That is: {success}, or else {', '.join(errors)}"


def audience_of(policy: FieldPolicy) -> str:
    """In words, with the roles of staff that may."""
    roles = ", ".join(f"`{role}`" for role in sorted(policy.roles))
    return _AUDIENCES[policy.audience] + (f" ({roles})" if roles else "")


def sandbox_user(name: str, known: Known) -> str:
    """Words for `./dev token`: a demo user who may; nothing when nobody has to sign in."""
    policy = known.policy
    if policy is None or (policy.audience is Audience.ANYONE and name not in _OF_SOMEBODY):
        return ""
    second_factor = " --second-factor" if policy.step_up is not None else ""
    if policy.audience is Audience.STAFF:
        return ("compliance" if Role.COMPLIANCE in policy.roles else "admin") + second_factor
    return f"verified{second_factor}" if second_factor else "plain"


def _curl(example: Example, *, signed_in: bool) -> str:
    # Inside double quotes, so that the shell puts the token in.
    token = '  -H "authorization: Bearer $ID_TOKEN" \\\n' if signed_in else ""
    return (
        f"curl -s {ADDRESS} -H 'content-type: application/json' \\\n"
        f"{token}"
        f"  -d {shlex.quote(example.body)}"
    )


def index(
    schema: GraphQLSchema, known: Mapping[str, Known], note: str, pages: Sequence[str]
) -> str:
    """The reference's first page: every operation in a line, and the pages about types."""
    rows = [
        (
            f"[{name}]({_PAGES[kind]}#{name.lower()})",
            kind,
            linked(field.type),
            text_of(field.description, field.deprecation_reason),
        )
        for kind, name, field in all_operations(schema)
        if f"{kind.capitalize()}.{name}" in known
    ]
    others = [page for page in pages if page not in _PAGES.values()]
    named = ", ".join(f"[{page.removesuffix('.md')}]({page})" for page in others)
    last = (
        f"Types: {named}. Errors: [errors](../errors.md). "
        "The same as SDL: [schema.graphql](../schema.graphql)."
    )
    lead = "Every operation, each with an example that our tests run."
    operations = table(("operation", "kind", "gives", "what"), rows)
    return f"# All operations\n\n{lead}\n\n{operations}\n\n{last}\n\n{note}\n"
