"""The enums of wallets, every value with its meaning. Declared before any type shows them."""

import domain.wallets.model
from schema._words import words_of

words_of(
    domain.wallets.model.EntryKind,
    name="TransactionKind",
    description="What a transaction is.",
    values={
        "DEPOSIT": "Money that came in from outside.",
        "TRANSFER": "Between two people here.",
        "FEE": "What was paid to us.",
        "ADJUSTMENT": "A correction that two of staff agreed on.",
        "REVERSAL": "Takes an earlier one back.",
        "HOLD_PLACED": "Reserved for something under way.",
        "HOLD_POSTED": "What was reserved was taken; what was too much came back.",
        "HOLD_VOIDED": "What was reserved came back.",
        "HOLD_EXPIRED": "What was reserved came back, because nobody resolved it in time.",
    },
)
words_of(
    domain.wallets.model.TransactionState,
    description="What became of a transaction since. Only PENDING and POSTED can still change.",
    values={
        "POSTED": "Done.",
        "PENDING": "A hold that is open: the money is still yours and cannot be used.",
        "SETTLED": "A hold that was posted: it was taken, or as much of it as was needed.",
        "RELEASED": "A hold that was voided: all of it came back.",
        "EXPIRED": "A hold that nobody resolved in time: all of it came back.",
        "REVERSED": "Taken back by a REVERSAL, which is a transaction of its own.",
    },
)
words_of(
    domain.wallets.model.HoldState,
    description="Where a hold stands. It leaves OPEN once.",
    values={
        "OPEN": "Reserved.",
        "POSTED": "Taken, or as much of it as was needed.",
        "VOIDED": "Given back.",
        "EXPIRED": "Given back, because nobody resolved it in time.",
    },
)
words_of(
    domain.wallets.model.LimitPeriod,
    description="What a limit counts.",
    values={
        "TRANSFER": "One transfer.",
        "DAY": "The last 24 hours.",
        "MONTH": "The last 30 days.",
    },
)
