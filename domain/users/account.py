"""The caller's own account: profile, settings, log, freeze, export, erasure."""

from dataclasses import dataclass
from datetime import datetime, time

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.page import Page
from domain.kernel.viewer import Viewer
from domain.users.errors import CannotErase, LegalIdentityLocked
from domain.users.model import (
    Activity,
    Channel,
    Locale,
    Profile,
    QuietHours,
    Settings,
    Theme,
    Topic,
    User,
)
from domain.users.ports import (
    AccessSignals,
    Accounts,
    ErasureHolds,
    IdentityProvider,
    LegalIdentities,
    Works,
)

ERASURE_GRACE_DAYS = 14


class _Absent:
    """Stands for a field of a change that was not given; None means: empty it."""


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """What to change; what is ABSENT stays."""

    display_name: str | _Absent | None = ABSENT
    legal_name: str | _Absent | None = ABSENT
    date_of_birth: str | _Absent | None = ABSENT
    country: str | _Absent | None = ABSENT
    phone: str | _Absent | None = ABSENT
    time_zone: str | _Absent = ABSENT


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """One cell of the notification matrix."""

    topic: Topic
    channel: Channel
    on: bool


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What to change; what is ABSENT stays."""

    notifications: tuple[ChannelChoice, ...] = ()
    display_currency: str | _Absent = ABSENT
    locale: Locale | _Absent = ABSENT
    theme: Theme | _Absent = ABSENT
    quiet_hours: QuietHours | _Absent | None = ABSENT
    confirm_orders: bool | _Absent = ABSENT


@dataclass(frozen=True, slots=True)
class Export:
    """Everything kept about somebody, as one JSON document."""

    created_at: datetime
    document: str


class MyAccount:
    """What the owner of an account does with it."""

    def __init__(
        self,
        *,
        works: Works,
        accounts: Accounts,
        identities: IdentityProvider,
        signals: AccessSignals,
        holds: ErasureHolds,
        legal: LegalIdentities,
        cursors: CursorSigner,
        clock: Clock,
    ) -> None: ...

    async def user(self, viewer: Viewer) -> User:
        raise NotImplementedError

    async def profile(self, viewer: Viewer) -> Profile:
        raise NotImplementedError

    async def update_profile(
        self, viewer: Viewer, change: ProfileChange
    ) -> Profile | LegalIdentityLocked | BadInput:
        raise NotImplementedError

    async def settings(self, viewer: Viewer) -> Settings:
        raise NotImplementedError

    async def update_settings(self, viewer: Viewer, change: SettingsChange) -> Settings | BadInput:
        """SECURITY in the INBOX cannot be switched off."""
        raise NotImplementedError

    async def activity(
        self, viewer: Viewer, *, first: int, after: str | None
    ) -> Page[Activity] | BadInput:
        """The caller's own log, newest first."""
        raise NotImplementedError

    async def freeze(self, viewer: Viewer) -> User:
        """Freeze at once: sessions end, sockets close, Firebase's refresh tokens are revoked."""
        raise NotImplementedError

    async def export(self, viewer: Viewer) -> Export:
        """All that is kept of the caller, personal data in clear: it is theirs."""
        raise NotImplementedError

    async def request_erasure(self, viewer: Viewer) -> User | CannotErase:
        """Erase after a grace of 14 days, in which the wish can be withdrawn."""
        raise NotImplementedError

    async def withdraw_erasure(self, viewer: Viewer) -> User:
        raise NotImplementedError


def quiet_hours(start: time, end: time) -> QuietHours | BadInput:
    """Quiet hours from one time of day to another; they may span midnight."""
    if start == end:
        return BadInput("quietHours", "start and end are the same; leave quiet hours out instead.")
    return QuietHours(start, end)
