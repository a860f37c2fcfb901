"""Who is looking: the caller of one operation, as far as the rules care."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.kernel.ids import UserId


class Role(StrEnum):
    """What our own database says a user may be. Nobody gets one from a token."""

    USER = "USER"
    DEVELOPER = "DEVELOPER"
    SUPPORT = "SUPPORT"
    COMPLIANCE = "COMPLIANCE"
    TREASURY = "TREASURY"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """How the caller signed in: what step-up and the log ask about."""

    session_id: UUID
    signed_in_at: datetime
    """When the person proved who they are, not when the token was made."""
    expires_at: datetime
    """When the token ends, and with it what a socket may go on hearing."""
    second_factor: str | None
    """``totp`` or ``phone`` when this sign-in used one."""
    email_verified: bool
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """The caller. Without ``user_id`` it is anybody at all, and has no roles."""

    user_id: UserId | None = None
    roles: frozenset[Role] = frozenset()
    signed_in: SignedIn | None = None
    """There whenever ``user_id`` is."""


ANONYMOUS = Viewer()
