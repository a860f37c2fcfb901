"""The market's enums, every value with its meaning. Declared before any type shows them."""

import domain.market
from domain.kernel.ids import Category, Side
from schema._words import words_of

words_of(
    Category,
    description="The venue's product families.",
    values={
        "LINEAR": "Perpetual and dated futures settled in a stablecoin.",
        "SPOT": "Immediate exchange of one asset for another.",
    },
)
words_of(
    domain.market.InstrumentStatus,
    description="Whether an instrument trades.",
    values={
        "PRE_LAUNCH": "Announced, not trading yet.",
        "TRADING": "Trading.",
        "DELIVERING": "A dated future that is being settled.",
        "CLOSED": "No longer traded, or no longer listed by the venue.",
        "SUSPENDED": "Not tradable for a reason of the venue's own.",
    },
)
words_of(
    domain.market.Source,
    name="PriceSource",
    description="Which world a price comes from. Only BYBIT is real money.",
    values={
        "BYBIT": "Bybit, the real market.",
        "BYBIT_TESTNET": "Bybit's test network.",
        "BYBIT_DEMO": "Bybit's demo trading.",
        "SANDBOX": "The platform's own sandbox exchange: made-up prices.",
        "RECORDING": "A replayed recording: real prices of another day.",
    },
)
words_of(
    Side,
    description="Which side takes.",
    values={"BUY": "Buys, lifting asks.", "SELL": "Sells, hitting bids."},
)
words_of(
    domain.market.Interval,
    description="How long a candle lasts. Days begin at midnight UTC, weeks on Monday.",
    values={
        "MINUTE_1": "One minute.",
        "MINUTE_3": "Three minutes.",
        "MINUTE_5": "Five minutes.",
        "MINUTE_15": "A quarter of an hour.",
        "MINUTE_30": "Half an hour.",
        "HOUR_1": "One hour.",
        "HOUR_2": "Two hours.",
        "HOUR_4": "Four hours.",
        "HOUR_6": "Six hours.",
        "HOUR_12": "Half a day.",
        "DAY_1": "One day.",
        "WEEK_1": "One week.",
        "MONTH_1": "One calendar month.",
    },
)
