"""Wallets: a double-entry ledger whose money always adds up, and what people do with it."""

from domain.wallets.catalogue import AssetCatalogue
from domain.wallets.deposits import Deposits
from domain.wallets.following import FollowedWallets
from domain.wallets.history import BalanceHistory, HistoryAsked
from domain.wallets.holds import Holds
from domain.wallets.previews import Previews, PreviewWish, TransferPreview
from domain.wallets.proving import Days, InclusionProof, Proofs
from domain.wallets.sealing import Chain
from domain.wallets.statements import PageAsked, Statements
from domain.wallets.transfers import Transfer, TransferFunds, Transfers, TransferWish
from domain.wallets.values import Values

__all__ = [
    "AssetCatalogue",
    "BalanceHistory",
    "Chain",
    "Days",
    "Deposits",
    "FollowedWallets",
    "HistoryAsked",
    "Holds",
    "InclusionProof",
    "PageAsked",
    "PreviewWish",
    "Previews",
    "Proofs",
    "Statements",
    "Transfer",
    "TransferFunds",
    "TransferPreview",
    "TransferWish",
    "Transfers",
    "Values",
]
