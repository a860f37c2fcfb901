"""Wallets: a double-entry ledger whose money always adds up, and what people do with it."""

from domain.wallets.catalogue import AssetCatalogue
from domain.wallets.deposits import Deposits
from domain.wallets.following import FollowedWallets
from domain.wallets.history import BalanceHistory, HistoryAsked
from domain.wallets.holds import Holds
from domain.wallets.previews import Previews, PreviewWish, TransferPreview
from domain.wallets.sealing import Chain
from domain.wallets.statements import PageAsked, Statements
from domain.wallets.transfers import Transfer, TransferFunds, Transfers, TransferWish
from domain.wallets.values import Values

__all__ = [
    "AssetCatalogue",
    "BalanceHistory",
    "Chain",
    "Deposits",
    "FollowedWallets",
    "HistoryAsked",
    "Holds",
    "PageAsked",
    "PreviewWish",
    "Previews",
    "Statements",
    "Transfer",
    "TransferFunds",
    "TransferPreview",
    "TransferWish",
    "Transfers",
    "Values",
]
