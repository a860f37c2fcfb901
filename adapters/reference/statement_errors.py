"""The codes about statements, and about the links their files are behind."""

from adapters.reference.meaning import REQUEST, USER, Meaning

STATEMENT_MEANINGS: dict[str, Meaning] = {
    "LINK_FORBIDDEN": Meaning(
        REQUEST,
        "The link to a file is not one that was made here, or it was changed. 403.",
        "Ask for `Statement.download` again and follow its `url` as it came.",
    ),
    "LINK_EXPIRED": Meaning(
        REQUEST,
        "The link to a file was good, and its quarter of an hour is over. 403.",
        "Ask for `Statement.download` again.",
    ),
    "FILE_GONE": Meaning(
        REQUEST,
        "The file was kept for its seven days and deleted, or its owner's account is erased. 410.",
        "Request the statement again, with a new key.",
    ),
    "FILE_DAMAGED": Meaning(
        REQUEST,
        "The file is not what was written, and a wrong one is not given. We were told. 500.",
        "Request the statement again, with a new key.",
    ),
    "TOO_MANY_STATEMENTS": Meaning(
        USER,
        "Three statements are being built, or fifty are kept: more are not taken.",
        "Wait for one to be ready, or for the oldest to be deleted after its seven days.",
        extensions="`most`: how many there may be. As member of a result it is a field",
    ),
    "STATEMENT_TOO_LARGE": Meaning(
        USER,
        "The period has more lines than one file holds: 200,000 as CSV, 20,000 as PDF.",
        "Ask for a shorter period, for one asset, or for CSV.",
        extensions="`lines`: how many there are; `most`: how many a file holds. As member of a "
        "result they are fields",
    ),
    "UNKNOWN_STATEMENT": Meaning(
        USER,
        "There is no such statement, or it is somebody else's: both look the same.",
        "Take an id from `viewer { statements }`.",
    ),
}
