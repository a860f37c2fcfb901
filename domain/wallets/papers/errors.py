"""Why a statement is not made."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from domain.kernel.errors import UserError


class StatementsErrorCode(StrEnum):
    """Codes of statements, beside those of wallets."""

    TOO_MANY_STATEMENTS = "TOO_MANY_STATEMENTS"
    STATEMENT_TOO_LARGE = "STATEMENT_TOO_LARGE"
    UNKNOWN_STATEMENT = "UNKNOWN_STATEMENT"


@dataclass(frozen=True)
class TooManyStatements(UserError):
    """As many as one person may have are being built, or kept."""

    code: ClassVar[StrEnum] = StatementsErrorCode.TOO_MANY_STATEMENTS
    most: int
    being_built: bool
    """Else they are kept."""

    @property
    def message(self) -> str:
        if self.being_built:
            return f"{self.most} of your statements are being built. Wait for one of them."
        return f"{self.most} of your statements are kept. Wait until the oldest is deleted."

    @property
    def details(self) -> Mapping[str, object]:
        return {"most": self.most}


@dataclass(frozen=True)
class StatementTooLarge(UserError):
    """More lines than one file of that format holds."""

    code: ClassVar[StrEnum] = StatementsErrorCode.STATEMENT_TOO_LARGE
    lines: int
    most: int

    @property
    def message(self) -> str:
        return (
            f"There are {self.lines} lines in this period, and such a file holds {self.most}."
            " Ask for a shorter period, or for one asset."
        )

    @property
    def path(self) -> tuple[str, ...]:
        return ("since",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"lines": self.lines, "most": self.most}


@dataclass(frozen=True)
class UnknownStatement(UserError):
    """There is no such statement, or it is somebody else's: both look the same."""

    code: ClassVar[StrEnum] = StatementsErrorCode.UNKNOWN_STATEMENT

    @property
    def message(self) -> str:
        return "There is no such statement."

    @property
    def path(self) -> tuple[str, ...]:
        return ("id",)
