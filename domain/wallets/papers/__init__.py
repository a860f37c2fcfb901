"""Statements on paper: what came and went in a period, as a file that ties to the ledger."""

from domain.wallets.papers.building import StatementBuilder
from domain.wallets.papers.downloads import Download, Downloads, LinkRefusal
from domain.wallets.papers.links import LinkSigner, SignedLink
from domain.wallets.papers.model import (
    Statement,
    StatementFormat,
    StatementId,
    StatementProblem,
    StatementState,
)
from domain.wallets.papers.requests import MyStatements, RequestStatement

__all__ = [
    "Download",
    "Downloads",
    "LinkRefusal",
    "LinkSigner",
    "MyStatements",
    "RequestStatement",
    "SignedLink",
    "Statement",
    "StatementBuilder",
    "StatementFormat",
    "StatementId",
    "StatementProblem",
    "StatementState",
]
