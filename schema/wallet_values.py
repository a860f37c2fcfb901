"""What money is worth, and what there was day by day, as clients see it."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

import domain.market
import domain.wallets.daily
import domain.wallets.valuation
import schema.words  # noqa: F401  # the enums must be declared before they are shown
from resolvers import wallet_values
from schema._view import resolved_by, view_of
from schema._words import words_of

words_of(
    domain.wallets.valuation.NoValueReason,
    description="Why something has no value in a currency.",
    values={
        "NO_PRICE_PATH": "No markets lead from the asset to the currency. USD is not USDT: an "
        "operator may declare them to be worth the same.",
        "PRICE_UNAVAILABLE": "There are markets, and just now none of them has a price.",
    },
)


@view_of(
    domain.wallets.valuation.RateStep,
    description="One step from an asset to a currency: a spot market, at the price of its last "
    "trade, or two assets that were declared to be worth the same.",
)
class RateStep:
    from_asset: str = strawberry.field(description="What is told.")
    to_asset: str = strawberry.field(description="What it is told in.")
    symbol: str | None = strawberry.field(
        description="The spot market's; null for what was declared."
    )
    price: Decimal = strawberry.field(description="As the market quotes it; 1 for a declared one.")
    inverse: bool = strawberry.field(
        description="Whether the market quotes them the other way round: divided by the price."
    )
    as_of: datetime | None = strawberry.field(
        description="The venue's own time of the price; null for what was declared."
    )
    stale: bool = strawberry.field(
        description="True while the connection or topic behind the price is silent."
    )
    source: domain.market.Source | None = resolved_by(
        wallet_values.source_of_step,
        description="Which world the price comes from; null for what was declared.",
    )


@view_of(
    domain.wallets.valuation.Valuation,
    description="What an amount is worth. To look at, not to settle by.",
)
class Valuation:
    amount: Decimal | None = strawberry.field(
        description="Rounded half to even, to what the currency is counted in; null with a "
        "`reason`."
    )
    currency: str = strawberry.field(description="What it is told in.")
    reason: domain.wallets.valuation.NoValueReason | None = strawberry.field(
        description="Why there is no amount; null when there is one."
    )
    rate: Decimal | None = strawberry.field(
        description="One of the asset, rounded to 18 digits behind the point; `amount` is made "
        "with all of them. Null without one."
    )
    path: list[RateStep] = strawberry.field(
        description="How the rate comes about; empty for the currency itself."
    )
    as_of: datetime | None = strawberry.field(
        description="Of the oldest price on the path; null when none was needed."
    )
    stale: bool = strawberry.field(description="Whether any price on the path is.")


@view_of(
    domain.wallets.valuation.Unpriced, description="A wallet that a total leaves out, and why."
)
class UnpricedWallet:
    asset: str = strawberry.field(description="Its asset.")
    reason: domain.wallets.valuation.NoValueReason = strawberry.field(description="Why.")


@view_of(domain.wallets.valuation.TotalValue, description="What all wallets of somebody are worth.")
class TotalValue:
    amount: Decimal | None = strawberry.field(
        description="Of all wallets but those in `unpriced`, rounded once; null when none of them "
        "has a value."
    )
    currency: str = strawberry.field(description="What it is told in.")
    unpriced: list[UnpricedWallet] = strawberry.field(
        description="What is not in `amount`; show that it is incomplete."
    )
    as_of: datetime | None = strawberry.field(
        description="Of the oldest price in it; null when none was needed."
    )
    stale: bool = strawberry.field(description="Whether any price in it is.")


@view_of(domain.wallets.daily.DailyBalance, description="What was in a wallet at the end of a day.")
class DailyBalance:
    day: date = strawberry.field(description="Of UTC. Of today it is what is there now.")
    opening_total: Decimal = strawberry.field(
        description="`total` at the end of the day before; the difference is what the day brought."
    )
    available: Decimal = strawberry.field(description="What could be disposed of.")
    held: Decimal = strawberry.field(description="What was reserved.")
    total: Decimal = strawberry.field(description="Both together.")
