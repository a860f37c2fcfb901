"""Loaders of wallets: a page full of transactions asks once for all the people and holds in it."""

from aiodataloader import DataLoader

from domain.kernel.errors import BadInput
from domain.kernel.failures import Unavailable
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.page import Page
from domain.wallets import PageAsked
from domain.wallets.model import Explanation, Hold, HoldId, Recipient, Transaction
from resolvers.wallet_services import WalletServices

Wallet = tuple[UserId, AssetCode]


class WalletLoaders:
    """One set per context; they batch and do not cache."""

    def __init__(self, wallets: WalletServices | None) -> None:
        async def load_recipients(ids: list[UserId]) -> list[Recipient | None]:
            found = await _needed(wallets).recipients.shown(ids)
            return [found.get(i) for i in ids]

        async def load_holds(ids: list[HoldId]) -> list[Hold | None]:
            found = await _needed(wallets).books.holds(ids)
            return [found.get(i) for i in ids]

        async def load_pages(asked: list[PageAsked]) -> list[Page[Transaction] | BadInput]:
            return list(await _needed(wallets).statements.pages(asked))

        async def load_explanations(asked: list[Wallet]) -> list[Explanation]:
            found: dict[Wallet, Explanation] = {}
            for owner in {owner for owner, _ in asked}:
                assets = {asset for whose, asset in asked if whose == owner}
                explained = await _needed(wallets).statements.explanations(owner, sorted(assets))
                found |= {(owner, asset): why for asset, why in explained.items()}
            return [found[each] for each in asked]

        self.recipient: DataLoader[UserId, Recipient | None] = DataLoader(
            load_recipients, cache=False
        )
        self.hold: DataLoader[HoldId, Hold | None] = DataLoader(load_holds, cache=False)
        self.page: DataLoader[PageAsked, Page[Transaction] | BadInput] = DataLoader(
            load_pages, cache=False
        )
        self.explanation: DataLoader[Wallet, Explanation] = DataLoader(
            load_explanations, cache=False
        )


def _needed(wallets: WalletServices | None) -> WalletServices:
    if wallets is None:
        raise Unavailable("wallet service")
    return wallets
