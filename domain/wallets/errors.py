"""What a person can get wrong about money, and why a wallet says no."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from domain.kernel.errors import UserError
from domain.kernel.ids import AssetCode
from domain.kernel.money import plain
from domain.wallets.model import HoldState, LimitPeriod


class WalletsErrorCode(StrEnum):
    """Codes of the wallets domain."""

    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    UNKNOWN_ASSET = "UNKNOWN_ASSET"
    BAD_AMOUNT = "BAD_AMOUNT"
    UNKNOWN_RECIPIENT = "UNKNOWN_RECIPIENT"
    OWN_WALLET = "OWN_WALLET"
    WALLET_FROZEN = "WALLET_FROZEN"
    UNKNOWN_HOLD = "UNKNOWN_HOLD"
    HOLD_NOT_OPEN = "HOLD_NOT_OPEN"
    HOLD_TOO_SMALL = "HOLD_TOO_SMALL"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    TOO_MANY_RECIPIENTS = "TOO_MANY_RECIPIENTS"


@dataclass(frozen=True)
class InsufficientFunds(UserError):
    """More than is there to dispose of."""

    code: ClassVar[StrEnum] = WalletsErrorCode.INSUFFICIENT_FUNDS
    asset: AssetCode
    available: Decimal

    @property
    def message(self) -> str:
        return f"Only {plain(self.available)} {self.asset} can be disposed of."

    @property
    def path(self) -> tuple[str, ...]:
        return ("amount",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"asset": self.asset, "available": plain(self.available)}


@dataclass(frozen=True)
class UnknownAsset(UserError):
    """Wallets hold no such thing."""

    code: ClassVar[StrEnum] = WalletsErrorCode.UNKNOWN_ASSET
    asset: str

    @property
    def message(self) -> str:
        return f"There is no asset {self.asset[:20]!r} here."

    @property
    def path(self) -> tuple[str, ...]:
        return ("asset",)


@dataclass(frozen=True)
class BadAmount(UserError):
    """Not above zero, absurdly large, or finer than the asset is counted."""

    code: ClassVar[StrEnum] = WalletsErrorCode.BAD_AMOUNT
    asset: AssetCode
    scale: int

    @property
    def message(self) -> str:
        return (
            "Give an amount above zero, with at most 18 digits in front of the point and"
            f" {self.scale} behind it: {self.asset} is not counted any finer."
        )

    @property
    def path(self) -> tuple[str, ...]:
        return ("amount",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"asset": self.asset, "scale": self.scale}


@dataclass(frozen=True)
class UnknownRecipient(UserError):
    """Nobody of that name can be given money."""

    code: ClassVar[StrEnum] = WalletsErrorCode.UNKNOWN_RECIPIENT

    @property
    def message(self) -> str:
        return "Nobody here can receive money under this name. Look at it again."

    @property
    def path(self) -> tuple[str, ...]:
        return ("recipient",)


@dataclass(frozen=True)
class OwnWallet(UserError):
    """Money sent to oneself goes nowhere."""

    code: ClassVar[StrEnum] = WalletsErrorCode.OWN_WALLET

    @property
    def message(self) -> str:
        return "This is your own wallet. Name somebody else."

    @property
    def path(self) -> tuple[str, ...]:
        return ("recipient",)


@dataclass(frozen=True)
class WalletFrozen(UserError):
    """Nothing leaves the wallet until staff says so; what comes in is taken."""

    code: ClassVar[StrEnum] = WalletsErrorCode.WALLET_FROZEN
    asset: AssetCode

    @property
    def message(self) -> str:
        return f"This {self.asset} wallet is frozen. Its owner may write to support."

    @property
    def details(self) -> Mapping[str, object]:
        return {"asset": self.asset}


@dataclass(frozen=True)
class UnknownHold(UserError):
    """There is no such hold."""

    code: ClassVar[StrEnum] = WalletsErrorCode.UNKNOWN_HOLD

    @property
    def message(self) -> str:
        return "There is no such hold."


@dataclass(frozen=True)
class HoldNotOpen(UserError):
    """A hold is resolved once, and this one was."""

    code: ClassVar[StrEnum] = WalletsErrorCode.HOLD_NOT_OPEN
    state: HoldState

    @property
    def message(self) -> str:
        return f"This hold is no longer open: it is {self.state.value.lower()}."


@dataclass(frozen=True)
class HoldTooSmall(UserError):
    """More than is held."""

    code: ClassVar[StrEnum] = WalletsErrorCode.HOLD_TOO_SMALL
    asset: AssetCode
    held: Decimal

    @property
    def message(self) -> str:
        return f"Only {plain(self.held)} {self.asset} is held for this."

    @property
    def path(self) -> tuple[str, ...]:
        return ("amount",)


_COUNTED = {
    LimitPeriod.TRANSFER: "with one transfer",
    LimitPeriod.DAY: "within 24 hours",
    LimitPeriod.MONTH: "within 30 days",
}


@dataclass(frozen=True)
class LimitExceeded(UserError):
    """More than may be sent, at once or within a while."""

    code: ClassVar[StrEnum] = WalletsErrorCode.LIMIT_EXCEEDED
    asset: AssetCode
    period: LimitPeriod
    limit: Decimal
    used: Decimal
    remaining: Decimal
    resets_at: datetime | None = None

    @property
    def message(self) -> str:
        return (
            f"You can send {plain(self.limit)} {self.asset} {_COUNTED[self.period]};"
            f" {plain(self.remaining)} {self.asset} is left."
        )

    @property
    def path(self) -> tuple[str, ...]:
        return ("amount",)

    @property
    def details(self) -> Mapping[str, object]:
        return {
            "asset": self.asset,
            "period": self.period.value,
            "limit": plain(self.limit),
            "used": plain(self.used),
            "remaining": plain(self.remaining),
            "resetsAt": None if self.resets_at is None else self.resets_at.isoformat(),
        }


@dataclass(frozen=True)
class TooManyRecipients(UserError):
    """More addresses than one person has to look up in a day."""

    code: ClassVar[StrEnum] = WalletsErrorCode.TOO_MANY_RECIPIENTS
    retry_after_seconds: int

    @property
    def message(self) -> str:
        return "You have named many new addresses today. Name a known one, or come back later."

    @property
    def path(self) -> tuple[str, ...]:
        return ("recipient",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"retryAfterSeconds": self.retry_after_seconds}


Refusal = InsufficientFunds | WalletFrozen | HoldNotOpen | UnknownHold
"""What only the locked accounts and the locked hold can say."""
