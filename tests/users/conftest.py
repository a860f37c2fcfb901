"""The users domain on a real PostgreSQL."""

from dataclasses import dataclass

import pytest

from adapters.clock import SystemClock
from adapters.postgres import Database
from adapters.postgres.users import PostgresAccounts, PostgresWorks
from adapters.vault import BlindIndex, KeyRing


@dataclass
class Book:
    """The repositories of one database."""

    works: PostgresWorks
    accounts: PostgresAccounts


@pytest.fixture
def book(database: Database, clock: SystemClock) -> Book:
    ring, index = KeyRing({"test": b"m" * 32}), BlindIndex(b"i" * 32)
    return Book(
        PostgresWorks(database, ring=ring, index=index, clock=clock),
        PostgresAccounts(database, ring=ring, index=index),
    )
