"""The users domain's repositories: personal data leaves and enters sealed."""

from adapters.postgres.users.reading import PostgresAccounts
from adapters.postgres.users.work import PostgresWorks

__all__ = ["PostgresAccounts", "PostgresWorks"]
