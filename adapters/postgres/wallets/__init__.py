"""The wallets domain's repositories: the journal is written by one function of the database."""

from adapters.postgres.wallets.assets import PostgresAssets
from adapters.postgres.wallets.reading import PostgresBooks
from adapters.postgres.wallets.statements import PostgresShelf, PostgresStatementWorks
from adapters.postgres.wallets.verification import PostgresSealing, PostgresVerification
from adapters.postgres.wallets.work import PostgresWorks

__all__ = [
    "PostgresAssets",
    "PostgresBooks",
    "PostgresSealing",
    "PostgresShelf",
    "PostgresStatementWorks",
    "PostgresVerification",
    "PostgresWorks",
]
