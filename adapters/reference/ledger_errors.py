"""The codes of the back office for money."""

from adapters.reference.meaning import USER, Meaning

LEDGER_MEANINGS: dict[str, Meaning] = {
    "OWN_MONEY": Meaning(
        USER,
        "The caller is of staff, and it is about their own money: an adjustment of it, an entry "
        "they have a share in, their own hold, their own frozen wallet.",
        "Have somebody else of staff do it.",
    ),
    "NOT_REVERSIBLE": Meaning(
        USER,
        "No reversal takes this entry back: it was reversed already, is a reversal itself, is "
        "about a hold, or moved nobody's money but ours.",
        "Look at `reversedBy`; void a hold instead; correct the rest with an adjustment.",
    ),
    "PROPOSAL_EXPIRED": Meaning(
        USER,
        "Nobody decided the proposal within seven days.",
        "Propose it anew if it is still wanted.",
    ),
}
