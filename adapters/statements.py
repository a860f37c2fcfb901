"""What statements stand on, put together: PostgreSQL, a folder, and its owner's keys.

The rules are put on top by app.py.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from adapters.files import LocalFolder, SealedFiles
from adapters.foundation import Foundation
from adapters.people import People
from adapters.postgres.wallets import PostgresAssets, PostgresShelf, PostgresStatementWorks
from domain.kernel.cursor import CursorSigner
from domain.wallets.papers import (
    Downloads,
    LinkSigner,
    MyStatements,
    StatementBuilder,
    StatementFormat,
)
from domain.wallets.papers.csv_paper import CsvPaper


@dataclass(frozen=True)
class Press:
    """Every port of ``domain.wallets.papers``, answered."""

    base: Foundation
    works: PostgresStatementWorks
    shelf: PostgresShelf
    signer: LinkSigner
    files: SealedFiles | None
    """None where the operator gave no folder (OKD_FILES_DIR)."""

    @classmethod
    def over(cls, base: Foundation, people: People) -> Self:
        """Nothing is dialled yet. Raises OSError when the folder of files cannot be used."""
        folder = base.settings.files_dir
        return cls(
            base=base,
            works=PostgresStatementWorks(base.database, clock=base.clock),
            shelf=PostgresShelf(base.database),
            signer=LinkSigner(base.settings.secret_key.get_secret_value().encode()),
            files=None if folder is None else SealedFiles(LocalFolder(folder), people.keys),
        )

    def mine(self, cursors: CursorSigner) -> MyStatements | None:
        """What callers can do."""
        if self.files is None:
            return None
        return MyStatements(
            works=self.works,
            shelf=self.shelf,
            assets=PostgresAssets(self.base.database, clock=self.base.clock),
            signer=self.signer,
            cursors=cursors,
            clock=self.base.clock,
            settling=self._settling,
        )

    @property
    def _settling(self) -> timedelta:
        # A command takes its time, then waits so long for the database at most; as much again for
        # clocks that disagree.
        return timedelta(seconds=2 * self.base.settings.database_timeout_seconds)

    def downloads(self) -> Downloads | None:
        """What is behind links."""
        if self.files is None:
            return None
        return Downloads(
            shelf=self.shelf, files=self.files, signer=self.signer, clock=self.base.clock
        )

    def builder(self) -> StatementBuilder | None:
        """What the worker does."""
        if self.files is None:
            return None
        from adapters.papers import PdfPaper  # noqa: PLC0415  # what web need not pay for

        return StatementBuilder(
            works=self.works,
            shelf=self.shelf,
            files=self.files,
            papers={StatementFormat.CSV: CsvPaper, StatementFormat.PDF: PdfPaper},
            clock=self.base.clock,
        )
