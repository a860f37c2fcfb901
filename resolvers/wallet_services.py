"""What the platform can do about money, put together from what it stands on."""

from dataclasses import dataclass
from typing import Self

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.wallets import AssetCatalogue, Proofs, Statements, Transfers
from domain.wallets.ports import Assets, Books, Recipients, Works
from domain.wallets.proof_ports import PublishedDays


@dataclass(frozen=True, slots=True)
class WalletServices:
    """One name per use case; ``books`` is for loaders only."""

    books: Books
    assets: AssetCatalogue
    statements: Statements
    transfers: Transfers
    proofs: Proofs

    @classmethod
    def over(
        cls,
        *,
        works: Works,
        books: Books,
        days: PublishedDays,
        assets: Assets,
        recipients: Recipients,
        cursors: CursorSigner,
        clock: Clock,
    ) -> Self:
        """All of them over the same ports."""
        return cls(
            books=books,
            assets=AssetCatalogue(assets),
            statements=Statements(books=books, assets=assets, cursors=cursors, clock=clock),
            transfers=Transfers(works=works, assets=assets, recipients=recipients, clock=clock),
            proofs=Proofs(days=days, assets=assets),
        )
