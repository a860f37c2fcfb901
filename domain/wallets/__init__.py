"""Wallets: a double-entry ledger whose money always adds up, and what people do with it."""

from domain.wallets.catalogue import AssetCatalogue
from domain.wallets.deposits import Deposits
from domain.wallets.holds import Holds
from domain.wallets.previews import Previews, PreviewWish, TransferPreview
from domain.wallets.sealing import Chain
from domain.wallets.statements import PageAsked, Statements
from domain.wallets.transfers import Transfer, TransferFunds, Transfers, TransferWish

__all__ = [
    "AssetCatalogue",
    "Chain",
    "Deposits",
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
]
