"""What the users domain asks of others, answered by the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.kernel.failures import Unavailable
from domain.kernel.ids import UserId
from domain.kernel.policy import Rate
from domain.users.model import Identity, SessionId
from domain.users.ports import FirebaseAccount
from tests.users.people import NOW


@dataclass
class SetClock:
    """Time that stands until it is moved."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - datetime(2026, 1, 1, tzinfo=UTC)).total_seconds()

    def move(self, **delta: float) -> None:
        self.at += timedelta(**delta)


@dataclass
class Provider:
    """Firebase's administration."""

    accounts: dict[str, FirebaseAccount] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    """Whom it cannot be asked about."""

    async def account(self, identity: Identity) -> FirebaseAccount | None:
        return self.accounts.get(identity.uid)

    async def revoke_tokens(self, identity: Identity) -> None:
        self._fail(identity)
        self.revoked.append(identity.uid)

    async def disable(self, identity: Identity, *, disabled: bool) -> None:
        raise NotImplementedError

    async def delete(self, identity: Identity) -> None:
        self._fail(identity)
        self.deleted.append(identity.uid)

    def _fail(self, identity: Identity) -> None:
        if identity.uid in self.failing:
            raise Unavailable("identity service", retry_after_seconds=1.0)


@dataclass
class Signals:
    """Who was told to have no access any more."""

    told: list[tuple[UserId, tuple[SessionId, ...] | None]] = field(default_factory=list)
    changes: list[UserId] = field(default_factory=list)
    """Whose roles are others."""

    async def ended(self, user_id: UserId, sessions: Sequence[SessionId] | None) -> None:
        self.told.append((user_id, None if sessions is None else tuple(sessions)))

    async def changed(self, user_id: UserId) -> None:
        self.changes.append(user_id)


@dataclass
class Holds:
    """Why somebody may not be erased, and whether KYC has their identity."""

    why: tuple[str, ...] = ()
    identity_locked: bool = False

    async def reasons(self, user_id: UserId) -> Sequence[str]:
        del user_id
        return self.why

    async def locked(self, user_id: UserId) -> bool:
        del user_id
        return self.identity_locked


@dataclass
class Grants:
    """Step-ups that were spent."""

    spent: set[tuple[UserId, datetime, str]] = field(default_factory=set)

    async def spend(self, user_id: UserId, signed_in_at: datetime, operation: str) -> bool:
        key = (user_id, signed_in_at, operation)
        if key in self.spent:
            return False
        self.spent.add(key)
        return True


@dataclass
class Allowances:
    """What was done, by bucket."""

    done: list[tuple[UserId, str]] = field(default_factory=list)
    wait_seconds: float = 0.0
    down: bool = False

    async def take(self, user_id: UserId, rate: Rate) -> float:
        if self.down:
            raise Unavailable("cache", retry_after_seconds=1.0)
        self.done.append((user_id, rate.bucket))
        return self.wait_seconds
