"""Who is looking: the caller of one operation, as far as the rules care."""

from dataclasses import dataclass
from enum import StrEnum

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
class Viewer:
    """The caller. Without ``user_id`` it is anybody at all, and has no roles."""

    user_id: UserId | None = None
    roles: frozenset[Role] = frozenset()


ANONYMOUS = Viewer()
