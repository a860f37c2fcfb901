"""What wallets stand on, put together: PostgreSQL, and whom the users domain knows.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from typing import Self

from adapters.bridges.wallets import KnownRecipients
from adapters.files import LocalFolder, SealedFiles
from adapters.foundation import Foundation
from adapters.people import People
from adapters.postgres.wallets import (
    PostgresAssets,
    PostgresBooks,
    PostgresShelf,
    PostgresStatementWorks,
    PostgresWorks,
)
from domain.wallets.papers import Downloads, LinkSigner


@dataclass(frozen=True)
class Money:
    """Every port of ``domain.wallets`` that a caller's request needs, answered."""

    works: PostgresWorks
    books: PostgresBooks
    assets: PostgresAssets
    recipients: KnownRecipients
    statement_works: PostgresStatementWorks
    shelf: PostgresShelf
    signer: LinkSigner
    downloads: Downloads | None
    """None where files are not kept (OKD_FILES_DIR)."""

    @classmethod
    def over(cls, base: Foundation, people: People) -> Self:
        """Nothing is dialled yet. Raises OSError when the folder of files cannot be used."""
        shelf = PostgresShelf(base.database)
        signer = LinkSigner(base.settings.secret_key.get_secret_value().encode())
        files = files_of(base, people)
        return cls(
            works=PostgresWorks(base.database, clock=base.clock),
            books=PostgresBooks(base.database),
            assets=PostgresAssets(base.database, clock=base.clock),
            recipients=KnownRecipients(people.accounts),
            statement_works=PostgresStatementWorks(base.database, clock=base.clock),
            shelf=shelf,
            signer=signer,
            downloads=(
                None
                if files is None
                else Downloads(shelf=shelf, files=files, signer=signer, clock=base.clock)
            ),
        )


def files_of(base: Foundation, people: People) -> SealedFiles | None:
    """Where statements' files are; None where the operator gave no folder. Raises OSError."""
    folder = base.settings.files_dir
    return None if folder is None else SealedFiles(LocalFolder(folder), people.keys)
