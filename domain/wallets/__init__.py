"""Wallets: a double-entry ledger whose money always adds up, and what people do with it."""

from domain.wallets.catalogue import AssetCatalogue
from domain.wallets.deposits import Deposits
from domain.wallets.holds import Holds
from domain.wallets.proving import Days, InclusionProof, Proofs
from domain.wallets.sealing import Chain
from domain.wallets.statements import Statements
from domain.wallets.transfers import Transfer, TransferFunds, Transfers

__all__ = [
    "AssetCatalogue",
    "Chain",
    "Days",
    "Deposits",
    "Holds",
    "InclusionProof",
    "Proofs",
    "Statements",
    "Transfer",
    "TransferFunds",
    "Transfers",
]
