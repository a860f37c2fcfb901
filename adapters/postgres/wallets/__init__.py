"""The wallets domain's repositories: the journal is written by one function of the database."""

from adapters.postgres.wallets.assets import PostgresAssets
from adapters.postgres.wallets.closings import PostgresClosings
from adapters.postgres.wallets.ledger_books import PostgresLedgerBooks
from adapters.postgres.wallets.proofs import PostgresClosing, PostgresPublishedDays
from adapters.postgres.wallets.reading import PostgresBooks
from adapters.postgres.wallets.rebuilding import CannotRebuild, Rebuilt, rebuild_balances
from adapters.postgres.wallets.statements import PostgresShelf, PostgresStatementWorks
from adapters.postgres.wallets.verification import (
    PATIENCE_SECONDS,
    RULES,
    PostgresSealing,
    PostgresVerification,
)
from adapters.postgres.wallets.work import PostgresWorks

__all__ = [
    "PATIENCE_SECONDS",
    "RULES",
    "CannotRebuild",
    "PostgresAssets",
    "PostgresBooks",
    "PostgresClosing",
    "PostgresClosings",
    "PostgresLedgerBooks",
    "PostgresPublishedDays",
    "PostgresSealing",
    "PostgresShelf",
    "PostgresStatementWorks",
    "PostgresVerification",
    "PostgresWorks",
    "Rebuilt",
    "rebuild_balances",
]
