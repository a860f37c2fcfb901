"""Fields about what wallets are worth, and what was in them."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

import strawberry
from strawberry import Parent

from domain.kernel.errors import BadInput
from domain.kernel.ids import AssetCode
from domain.kernel.money import asset_code
from domain.market import Source
from domain.wallets import HistoryAsked
from domain.wallets.daily import DailyBalance
from domain.wallets.model import Wallet
from domain.wallets.valuation import Holding, RateStep, TotalValue, Valuation
from resolvers.context import Info
from resolvers.wallets import owner_of

CurrencyArgument = Annotated[
    str | None,
    strawberry.argument(
        description="What to tell it in, such as `EUR` or `BTC`; the settings' `displayCurrency` "
        "when left out."
    ),
]
Since = Annotated[
    date | None, strawberry.argument(description="The first day; 29 before `until` by default.")
]
Until = Annotated[
    date | None, strawberry.argument(description="The last day, itself included; today by default.")
]


async def value_of_wallet(
    wallet: Parent[Wallet], info: Info, currency: CurrencyArgument = None
) -> Valuation | BadInput:
    wanted = await _currency(info, currency)
    if isinstance(wanted, BadInput):
        return wanted
    holding = Holding(wallet.asset, wallet.total, wanted)
    return await info.context.loaders.wallets.valuation.load(holding)


async def total_value(info: Info, currency: CurrencyArgument = None) -> TotalValue | BadInput:
    wanted = await _currency(info, currency)
    if isinstance(wanted, BadInput):
        return wanted
    wallets = await info.context.wallets.statements.wallets(owner_of(info))
    holdings = [Holding(each.asset, each.total, wanted) for each in wallets]
    valuations = await info.context.loaders.wallets.valuation.load_many(holdings)
    return await info.context.wallets.values.total(valuations, wanted)


async def source_of_step(step: Parent[RateStep]) -> Source | None:
    return None if step.source is None else Source(step.source)


async def history_of_wallet(
    wallet: Parent[Wallet], info: Info, since: Since = None, until: Until = None
) -> Sequence[DailyBalance] | BadInput:
    days = info.context.wallets.history.days(since, until)
    if isinstance(days, BadInput):
        return days
    asked = HistoryAsked(wallet.owner, wallet.asset, days)
    return await info.context.loaders.wallets.history.load(asked)


async def _currency(info: Info, given: str | None) -> AssetCode | BadInput:
    """The caller's own choice, whosever wallet it is."""
    if given is None:
        settings = await info.context.loaders.settings.load(owner_of(info))
        return AssetCode(settings.display_currency)
    code = asset_code(given)
    return BadInput("currency", "give a code, such as USDT or EUR.") if code is None else code
