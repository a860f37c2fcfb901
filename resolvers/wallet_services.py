"""What the platform can do about money, put together from what it stands on."""

from dataclasses import dataclass
from typing import Self

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.wallets import AssetCatalogue, Previews, Statements, Transfers
from domain.wallets.limits import Limits
from domain.wallets.ports import Assets, Books, LookUps, Recipients, Works


@dataclass(frozen=True, slots=True)
class WalletServices:
    """One name per use case; ``books`` and ``recipients`` are for loaders only."""

    books: Books
    recipients: Recipients
    assets: AssetCatalogue
    statements: Statements
    previews: Previews
    transfers: Transfers

    @classmethod
    def over(
        cls,
        *,
        works: Works,
        books: Books,
        assets: Assets,
        recipients: Recipients,
        look_ups: LookUps,
        limits: Limits,
        cursors: CursorSigner,
        clock: Clock,
    ) -> Self:
        """All of them over the same ports."""
        return cls(
            books=books,
            recipients=recipients,
            assets=AssetCatalogue(assets),
            statements=Statements(books=books, assets=assets, cursors=cursors, clock=clock),
            previews=Previews(
                books=books,
                assets=assets,
                recipients=recipients,
                look_ups=look_ups,
                limits=limits,
                clock=clock,
            ),
            transfers=Transfers(
                works=works,
                assets=assets,
                recipients=recipients,
                look_ups=look_ups,
                limits=limits,
                clock=clock,
            ),
        )
