"""The enums of the ledger's desk, every value with its meaning. Declared before they are shown."""

import domain.wallets.desk.model
import domain.wallets.model
import schema.wallet_words  # noqa: F401  # entries and holds have theirs there
from schema._words import words_of

words_of(
    domain.wallets.model.AccountKind,
    name="LedgerAccountKind",
    description="What an account of the ledger is for.",
    values={
        "AVAILABLE": "A user's, to dispose of.",
        "HELD": "A user's, reserved for something that is under way.",
        "FEES": "Ours: what users paid for.",
        "FAUCET": "Where a sandbox's money comes from.",
        "ADJUSTMENT": "The other side of what two of staff corrected.",
        "VENUE": "What we own at the venue, by name of the account there.",
        "IN_TRANSIT": "On its way between two places.",
    },
)
words_of(
    domain.wallets.desk.model.LedgerProposalKind,
    description="What two of staff can do to the books.",
    values={
        "ADJUSTMENT": "More or less on one wallet, against the house's account for that.",
        "REVERSAL": "An entry taken back by another one.",
    },
)
words_of(
    domain.wallets.desk.model.LedgerProposalState,
    description="Where a correction of the books stands. It leaves OPEN once.",
    values={
        "OPEN": "Waits for the second person.",
        "APPROVED": "Done: the entry is in the journal.",
        "REJECTED": "Refused.",
        "WITHDRAWN": "Taken back by who proposed it.",
        "EXPIRED": "Nobody decided within seven days.",
    },
)
