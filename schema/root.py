"""The whole schema, put together from the domains' parts."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from schema._executor import EventExecutor
from schema._scalars import SCALARS
from schema._view import root_type
from schema.market import MarketQueries, MarketSubscriptions
from schema.status import StatusQueries, StatusSubscriptions

Query = root_type("Query", (MarketQueries, StatusQueries), description="Reading.")
Subscription = root_type(
    "Subscription",
    (MarketSubscriptions, StatusSubscriptions),
    description="Listening. The first value comes at once; every value is whole, never a delta.",
)


def build_schema(
    *, extensions: Sequence[type[SchemaExtension]] = (), suggestions: bool = True
) -> strawberry.Schema:
    """The executable schema; ``suggestions`` lets validation errors name near misses."""
    config: dict[str, Any] = {
        "scalar_map": SCALARS,
        "disable_field_suggestions": not suggestions,
    }
    return strawberry.Schema(
        query=Query,
        subscription=Subscription,
        config=StrawberryConfig(**config),
        extensions=list(extensions),
        execution_context_class=EventExecutor,
    )


def print_sdl() -> str:
    """The schema as SDL, ending in a newline; what docs/schema.graphql holds."""
    return build_schema().as_str().rstrip("\n") + "\n"
