"""What a person can get wrong about accounts, and why an account says no."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from domain.kernel.errors import UserError


class UsersErrorCode(StrEnum):
    """Codes of the users domain."""

    TOKEN_INVALID = "TOKEN_INVALID"  # noqa: S105  # a word, no secret
    TOKEN_EXPIRED = "TOKEN_EXPIRED"  # noqa: S105
    SESSION_ENDED = "SESSION_ENDED"
    ROLES_CHANGED = "ROLES_CHANGED"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    ACCOUNT_ERASED = "ACCOUNT_ERASED"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"
    LEGAL_IDENTITY_LOCKED = "LEGAL_IDENTITY_LOCKED"
    CANNOT_ERASE = "CANNOT_ERASE"
    OWN_ROLES = "OWN_ROLES"


@dataclass(frozen=True)
class TokenInvalid(UserError):
    """The ID token is not one of ours. Why is nobody's business who forges them."""

    code: ClassVar[StrEnum] = UsersErrorCode.TOKEN_INVALID

    @property
    def message(self) -> str:
        return "This ID token is not valid here. Sign in again."


@dataclass(frozen=True)
class TokenExpired(UserError):
    """The ID token was good and is over."""

    code: ClassVar[StrEnum] = UsersErrorCode.TOKEN_EXPIRED

    @property
    def message(self) -> str:
        return "This ID token has expired. Refresh it and try again."


@dataclass(frozen=True)
class SessionEnded(UserError):
    """The token is good, the session it belongs to is over."""

    code: ClassVar[StrEnum] = UsersErrorCode.SESSION_ENDED

    @property
    def message(self) -> str:
        return "This session was ended. Sign in again."


@dataclass(frozen=True)
class RolesChanged(UserError):
    """What the caller may has changed while they were connected."""

    code: ClassVar[StrEnum] = UsersErrorCode.ROLES_CHANGED

    @property
    def message(self) -> str:
        return "What your account may do has changed. Connect again."


@dataclass(frozen=True)
class AccountFrozen(UserError):
    """Nothing but support reaches a frozen account."""

    code: ClassVar[StrEnum] = UsersErrorCode.ACCOUNT_FROZEN

    @property
    def message(self) -> str:
        return "This account is frozen. Write to support to have it unfrozen."


@dataclass(frozen=True)
class AccountErased(UserError):
    """The account of this sign-in is gone for good."""

    code: ClassVar[StrEnum] = UsersErrorCode.ACCOUNT_ERASED

    @property
    def message(self) -> str:
        return "This account was erased."


@dataclass(frozen=True)
class EmailNotVerified(UserError):
    """The action needs an address that is known to be the person's own."""

    code: ClassVar[StrEnum] = UsersErrorCode.EMAIL_NOT_VERIFIED

    @property
    def message(self) -> str:
        return "Verify your e-mail address first: ask Firebase for a new verification mail."


@dataclass(frozen=True)
class StepUpRequired(UserError):
    """The action needs a fresh sign-in with a second factor."""

    code: ClassVar[StrEnum] = UsersErrorCode.STEP_UP_REQUIRED
    max_age_seconds: int
    """How old the sign-in may be."""
    methods: tuple[str, ...]
    """Second factors that count and the user has; empty: enrol one first."""

    @property
    def message(self) -> str:
        if not self.methods:
            return "Enrol a second factor first, then sign in again with it and repeat this."
        minutes = self.max_age_seconds // 60
        return f"Sign in again with your second factor; then repeat this within {minutes} minutes."

    @property
    def details(self) -> Mapping[str, object]:
        return {"maxAgeSeconds": self.max_age_seconds, "methods": list(self.methods)}


@dataclass(frozen=True)
class LegalIdentityLocked(UserError):
    """KYC holds the legal identity: it is shown here and edited there."""

    code: ClassVar[StrEnum] = UsersErrorCode.LEGAL_IDENTITY_LOCKED
    field: str

    @property
    def message(self) -> str:
        return "Your legal identity was submitted for verification and is changed there, not here."

    @property
    def path(self) -> tuple[str, ...]:
        return (self.field,)


@dataclass(frozen=True)
class CannotErase(UserError):
    """The account still holds what must not vanish."""

    code: ClassVar[StrEnum] = UsersErrorCode.CANNOT_ERASE
    reasons: tuple[str, ...]
    """``BALANCES``, ``POSITIONS``, ``LEGAL_HOLD``."""

    @property
    def message(self) -> str:
        return "The account cannot be erased yet: withdraw balances and close positions first."

    @property
    def details(self) -> Mapping[str, object]:
        return {"reasons": list(self.reasons)}


@dataclass(frozen=True)
class OwnRoles(UserError):
    """Nobody changes their own roles."""

    code: ClassVar[StrEnum] = UsersErrorCode.OWN_ROLES

    @property
    def message(self) -> str:
        return "Nobody changes their own roles. Ask another administrator."
