"""What the platform can do about money, put together from what it stands on."""

from dataclasses import dataclass
from typing import Self

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.wallets import AssetCatalogue, Statements, Transfers
from domain.wallets.papers import LinkSigner, MyStatements
from domain.wallets.papers.ports import Shelf
from domain.wallets.papers.ports import Works as StatementWorks
from domain.wallets.ports import Assets, Books, Recipients, Works


@dataclass(frozen=True, slots=True)
class WalletServices:
    """One name per use case; ``books`` is for loaders only."""

    books: Books
    assets: AssetCatalogue
    statements: Statements
    transfers: Transfers
    papers: MyStatements

    @classmethod
    def over(
        cls,
        *,
        works: Works,
        books: Books,
        assets: Assets,
        recipients: Recipients,
        statement_works: StatementWorks,
        shelf: Shelf,
        signer: LinkSigner,
        files_kept: bool,
        cursors: CursorSigner,
        clock: Clock,
    ) -> Self:
        """All of them over the same ports."""
        return cls(
            books=books,
            assets=AssetCatalogue(assets),
            statements=Statements(books=books, assets=assets, cursors=cursors, clock=clock),
            transfers=Transfers(works=works, assets=assets, recipients=recipients, clock=clock),
            papers=MyStatements(
                works=statement_works,
                shelf=shelf,
                assets=assets,
                signer=signer,
                cursors=cursors,
                clock=clock,
                files_kept=files_kept,
            ),
        )
