"""The users domain's repositories: personal data leaves and enters sealed."""

from adapters.postgres.users.keys import PostgresDataKeys
from adapters.postgres.users.maintenance import maintain_users
from adapters.postgres.users.reading import PostgresAccounts
from adapters.postgres.users.rotation import rotate_keys
from adapters.postgres.users.work import PostgresWorks

__all__ = ["PostgresAccounts", "PostgresDataKeys", "PostgresWorks", "maintain_users", "rotate_keys"]
