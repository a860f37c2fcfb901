"""The codes about money."""

from adapters.reference.meaning import USER, Meaning

_FIELDS = "As member of a result they are fields"

WALLET_MEANINGS: dict[str, Meaning] = {
    "INSUFFICIENT_FUNDS": Meaning(
        USER,
        "There is less to dispose of than the amount.",
        "Offer `available`; what is `held` cannot be used until it is released.",
        extensions=f"`asset`, `available`. {_FIELDS}",
    ),
    "UNKNOWN_ASSET": Meaning(
        USER,
        "Wallets hold no such thing.",
        "Take a code of `assets`; codes are in capitals.",
        extensions="`argument`: the argument at fault",
    ),
    "BAD_AMOUNT": Meaning(
        USER,
        "The amount is not above zero, 10^18 or more, or finer than the asset is counted.",
        "Round it to `scale` digits behind the point, or send less.",
        extensions=f"`asset`, `scale`. {_FIELDS}",
    ),
    "UNKNOWN_RECIPIENT": Meaning(
        USER,
        "Nobody here can receive money under this id or address. Addresses count once they are "
        "verified; that somebody has not verified theirs looks the same as that there is nobody.",
        "Ask them for the address they sign in with, or for their `viewer { id }`.",
    ),
    "OWN_WALLET": Meaning(USER, "Sender and recipient are the same person.", "Name somebody else."),
    "WALLET_FROZEN": Meaning(
        USER,
        "Nothing leaves the wallet until staff says so. What comes in is taken.",
        "Tell the person to write to support; other assets can be used.",
        extensions=f"`asset`. {_FIELDS}",
    ),
    "LIMIT_EXCEEDED": Meaning(
        USER,
        "More than may be sent of this asset with one transfer, in 24 hours or in 30 days.",
        "Offer `remaining`, or wait: from `resetsAt` on some of it is free again. "
        "`viewer { transferLimits }` shows all limits beforehand.",
        extensions=f"`asset`, `period`, `limit`, `used`, `remaining`, `resetsAt`. {_FIELDS}",
    ),
    "TOO_MANY_RECIPIENTS": Meaning(
        USER,
        "The person has named as many new addresses as one may in a day.",
        "Addresses named before, and ids, still work. New ones do after `retryAfterSeconds`.",
        extensions=f"`retryAfterSeconds`. {_FIELDS}",
    ),
    "UNKNOWN_HOLD": Meaning(USER, "There is no such hold.", "Read the wallet again."),
    "HOLD_NOT_OPEN": Meaning(
        USER,
        "A hold is resolved once, and this one was, or its time is up.",
        "Read `transactions`: the one that placed it has its state.",
    ),
    "HOLD_TOO_SMALL": Meaning(
        USER, "Less is held than was to be taken.", "Take what is held, or place another hold."
    ),
    "IDEMPOTENCY_IN_PROGRESS": Meaning(
        USER,
        "The same request is being worked on, for more than five seconds.",
        "Send it again with the same key: it is answered as it ends. Never with another key.",
    ),
    "IDEMPOTENCY_KEY_REUSED": Meaning(
        USER,
        "The key belongs to a request with another input. Nothing was done.",
        "Make a new key for each thing you mean to do; keep it for when you repeat it.",
    ),
}
