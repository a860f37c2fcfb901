"""The whole schema, put together from the domains' parts."""

from collections.abc import Sequence
from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig

from schema._executor import EventExecutor
from schema._scalars import SCALARS
from schema._view import root_type
from schema.account_events import ACCOUNT_EVENTS, AccountSubscriptions
from schema.back_office import BackOfficeQueries
from schema.back_office_mutations import BackOfficeMutations
from schema.market import MarketQueries, MarketSubscriptions
from schema.status import StatusQueries, StatusSubscriptions
from schema.user_errors import USER_ERRORS
from schema.user_mutations import UserMutations
from schema.users import UserQueries
from schema.wallet_errors import WALLET_ERRORS
from schema.wallet_mutations import WalletMutations
from schema.wallets import WalletQueries

_ONE_OF = "directive @oneOf on INPUT_OBJECT"

Query = root_type(
    "Query",
    (MarketQueries, StatusQueries, UserQueries, WalletQueries, BackOfficeQueries),
    description="Reading.",
)
Mutation = root_type(
    "Mutation",
    (UserMutations, WalletMutations, BackOfficeMutations),
    description="Changing. Every answer is a union of the success and of each reason why not.",
)
Subscription = root_type(
    "Subscription",
    (MarketSubscriptions, StatusSubscriptions, AccountSubscriptions),
    description="Listening. Every value is whole, never a delta; of the market one comes at once.",
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
        mutation=Mutation,
        subscription=Subscription,
        types=[*USER_ERRORS, *WALLET_ERRORS, *ACCOUNT_EVENTS],
        config=StrawberryConfig(**config),
        extensions=list(extensions),
        execution_context_class=EventExecutor,
    )


def print_sdl() -> str:
    """The schema as SDL, ending in a newline; what docs/schema.graphql holds."""
    printed = build_schema().as_str().rstrip("\n") + "\n"
    # Of GraphQL itself since 2025, and printed for tools that are older: without a word.
    return printed.replace(
        _ONE_OF, f'"""Exactly one field is given, and not null."""\n{_ONE_OF}', 1
    )
