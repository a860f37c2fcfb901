"""Fields about what can be proven. Whose leaf it is comes from the context."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.wallets import InclusionProof
from domain.wallets.errors import UnknownAsset
from domain.wallets.proofs import DayRoot, Liabilities
from resolvers.context import Info
from resolvers.wallets import AssetArgument, owner_of

DayArgument = Annotated[date, strawberry.argument(description="A day that is over, in UTC.")]


async def ledger_proof(info: Info, day: DayArgument) -> DayRoot | None:
    return await info.context.wallets.proofs.day(day)


# Exact beyond 2^31, where GraphQL's Int ends.
async def first_number(day: Parent[DayRoot]) -> Decimal:
    return Decimal(day.first_number)


async def last_number(day: Parent[DayRoot]) -> Decimal:
    return Decimal(day.last_number)


async def solvency(info: Info, day: DayArgument) -> Sequence[Liabilities] | None:
    return await info.context.wallets.proofs.liabilities(day)


async def my_inclusion_proof(
    info: Info, day: DayArgument, asset: AssetArgument
) -> InclusionProof | UnknownAsset | None:
    return await info.context.wallets.proofs.inclusion(owner_of(info), day, asset)
