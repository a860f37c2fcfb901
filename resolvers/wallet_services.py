"""What the platform can do about money, put together from what it stands on."""

from dataclasses import dataclass
from typing import Self

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.wallets import (
    AssetCatalogue,
    BalanceHistory,
    FollowedWallets,
    Previews,
    Proofs,
    Statements,
    Transfers,
    Values,
)
from domain.wallets.limits import Limits
from domain.wallets.papers import MyStatements
from domain.wallets.ports import (
    Assets,
    Books,
    Closings,
    EventStreams,
    LookUps,
    Rates,
    Recipients,
    Works,
)
from domain.wallets.proof_ports import PublishedDays


@dataclass(frozen=True, slots=True)
class WalletServices:
    """One name per use case; ``books`` and ``recipients`` are for loaders only."""

    books: Books
    recipients: Recipients
    assets: AssetCatalogue
    statements: Statements
    previews: Previews
    transfers: Transfers
    values: Values
    history: BalanceHistory
    followed: FollowedWallets
    proofs: Proofs
    papers: MyStatements | None = None
    """Nothing where no files are kept."""

    @classmethod
    def over(
        cls,
        *,
        works: Works,
        books: Books,
        days: PublishedDays,
        assets: Assets,
        recipients: Recipients,
        rates: Rates,
        closings: Closings,
        events: EventStreams,
        look_ups: LookUps,
        limits: Limits,
        cursors: CursorSigner,
        clock: Clock,
        papers: MyStatements | None = None,
    ) -> Self:
        """All of them over the same ports."""
        return cls(
            books=books,
            recipients=recipients,
            assets=AssetCatalogue(assets),
            statements=Statements(books=books, assets=assets, cursors=cursors, clock=clock),
            values=Values(rates=rates, assets=assets),
            history=BalanceHistory(closings=closings, clock=clock),
            followed=FollowedWallets(books=books, assets=assets, events=events, clock=clock),
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
            proofs=Proofs(days=days, assets=assets),
            papers=papers,
        )
