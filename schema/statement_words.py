"""The enums of statements, every value with its meaning."""

import domain.wallets.papers
from schema._words import words_of

words_of(
    domain.wallets.papers.StatementFormat,
    description="What kind of file.",
    values={
        "CSV": "RFC 4180, UTF-8, with a header: for programs and spreadsheets. At most 200,000 "
        "lines.",
        "PDF": "Pages for people, in English. At most 20,000 lines.",
    },
)
words_of(
    domain.wallets.papers.StatementState,
    description="Where a statement stands.",
    values={
        "REQUESTED": "It waits to be built.",
        "BUILDING": "It is being built; `progress` says how far.",
        "READY": "The file is there for seven days: `download`.",
        "FAILED": "There is no file; `problem` says why.",
        "EXPIRED": "The file was deleted.",
    },
)
words_of(
    domain.wallets.papers.StatementProblem,
    description="Why there is no file.",
    values={
        "DOES_NOT_TIE": "The lines did not add up to the ledger's balance. We were told; a wrong "
        "paper is not given.",
        "BUILD_FAILED": "It could not be built. We were told; request it again later.",
        "OWNER_ERASED": "The account was erased meanwhile.",
    },
)
