"""A command is done once, however often it is sent: its first outcome is every later answer.

The claim is a lock of the command's transaction, and its outcome a row of the same one: a crash in
between leaves neither. Success and what the rules said no to are kept and replayed; failures, and
a no that time mends (``NotKept``), roll the transaction back: the same key may be tried again.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from types import NoneType, UnionType
from typing import Any, ClassVar, Protocol, TypeVar, get_args, get_type_hints
from uuid import UUID

from domain.kernel.errors import UserError
from domain.kernel.ids import UserId
from domain.kernel.money import plain

DAYS_KEPT = 90
# How often a command asks again for a key that is being worked on. One claim waits half of the
# database's patience, two make up the five seconds that a twin is promised.
_CLAIMS = 2


class IdempotencyErrorCode(StrEnum):
    """Codes of commands that carry a key."""

    IDEMPOTENCY_IN_PROGRESS = "IDEMPOTENCY_IN_PROGRESS"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"


@dataclass(frozen=True)
class IdempotencyInProgress(UserError):
    """The same command is being worked on and did not end in five seconds."""

    code: ClassVar[StrEnum] = IdempotencyErrorCode.IDEMPOTENCY_IN_PROGRESS

    @property
    def message(self) -> str:
        return "The same request is still being worked on. Ask again with the same key."

    @property
    def path(self) -> tuple[str, ...]:
        return ("idempotencyKey",)


@dataclass(frozen=True)
class IdempotencyKeyReused(UserError):
    """The key was used before, for something else."""

    code: ClassVar[StrEnum] = IdempotencyErrorCode.IDEMPOTENCY_KEY_REUSED

    @property
    def message(self) -> str:
        return "This idempotency key belongs to another request. Use a new one."

    @property
    def path(self) -> tuple[str, ...]:
        return ("idempotencyKey",)


@dataclass(frozen=True, slots=True)
class Command:
    """What is to be done once: the key is its sender's own, per mutation."""

    actor: UserId
    mutation: str
    """As the schema calls it: ``transferFunds``."""
    key: UUID
    digest: bytes
    """Of all that was asked for: another body with the same key is another request."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """This transaction is the one that does it."""


@dataclass(frozen=True, slots=True)
class Done:
    """It was done before, and this came of it."""

    outcome: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Busy:
    """Another transaction is doing it."""


@dataclass(frozen=True, slots=True)
class Reused:
    """The key was claimed with another digest."""


class Idempotency(Protocol):
    """Keys and outcomes, within one unit of work."""

    async def claim(self, command: Command) -> Claimed | Done | Busy | Reused:
        """Take the key, or say what became of it; waits for a twin, half as long as promised."""
        ...

    async def settle(self, command: Command, outcome: Mapping[str, object]) -> None:
        """Keep what came of the command claimed in this unit of work."""
        ...


class Attempt(Protocol):
    """A part of a unit of work that can be taken back."""

    async def take_back(self) -> None:
        """Undo all since the attempt began, events included."""
        ...


class IdempotentWork(Protocol):
    """What a unit of work offers for commands with a key."""

    @property
    def idempotency(self) -> Idempotency: ...

    def attempt(self) -> AbstractAsyncContextManager[Attempt]:
        """Begin a part that can be taken back while the rest is committed."""
        ...


class NotKept(Exception):
    """Raised by a rule: its answer is ``refusal``, and not for ever, so that the key stays free."""

    def __init__(self, refusal: UserError) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


Work = TypeVar("Work", bound=IdempotentWork)
Outcome = TypeVar("Outcome")


async def once(
    begin: Callable[[], AbstractAsyncContextManager[Work]],
    command: Command,
    outcomes: "Outcomes",
    rule: Callable[[Work], Awaitable[Outcome]],
) -> Outcome | IdempotencyInProgress | IdempotencyKeyReused:
    """What ``rule`` gave the first time ``command`` came. A user error undoes what it wrote.

    Raises Unavailable, TimedOut, Conflict: then nothing was kept, or the outcome is unknown until
    the same key is sent again.
    """
    try:
        return await _once(begin, command, outcomes, rule)
    except NotKept as not_kept:
        return not_kept.refusal  # type: ignore[return-value]  # an outcome of the rule's


async def _once(
    begin: Callable[[], AbstractAsyncContextManager[Work]],
    command: Command,
    outcomes: "Outcomes",
    rule: Callable[[Work], Awaitable[Outcome]],
) -> Outcome | IdempotencyInProgress | IdempotencyKeyReused:
    for _ in range(_CLAIMS):
        async with begin() as work:
            claim = await work.idempotency.claim(command)
            match claim:
                case Busy():
                    continue
                case Reused():
                    return IdempotencyKeyReused()
                case Done():
                    return outcomes.replayed(claim.outcome)  # type: ignore[no-any-return]  # what was kept
            async with work.attempt() as attempt:
                outcome = await rule(work)
                if isinstance(outcome, UserError):
                    await attempt.take_back()
            await work.idempotency.settle(command, outcomes.kept(outcome))
            return outcome
    return IdempotencyInProgress()


def digest_of(**asked: object) -> bytes:
    """One digest per request: the order of fields and zeros behind a number do not matter."""
    body = {name: _comparable(value) for name, value in asked.items()}
    return sha256(json.dumps(body, sort_keys=True).encode()).digest()


class Outcomes:
    """Writes what commands return as JSON, and reads it back: flat frozen dataclasses only."""

    def __init__(self, *kinds: type) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}
        for kind in kinds:
            if not is_dataclass(kind):
                raise TypeError(f"{kind.__name__} is no dataclass")

    def kept(self, outcome: object) -> dict[str, object]:
        """JSON of ``outcome``: its type's name, and its fields as text. KeyError: unknown type."""
        kind = self._kinds[type(outcome).__name__]
        values = {f.name: _written(getattr(outcome, f.name)) for f in fields(kind)}
        return {"kind": kind.__name__, "values": values}

    def replayed(self, kept: Mapping[str, Any]) -> Any:  # noqa: ANN401  # one of the kinds
        """The outcome that was kept."""
        kind = self._kinds[kept["kind"]]
        hints = get_type_hints(kind)
        values = kept["values"]
        # A field that newer code added has a default; one that it dropped is left out.
        known = {f.name for f in fields(kind)} & values.keys()
        return kind(**{name: _read(hints[name], values[name]) for name in known})


def _comparable(value: object) -> str | None:
    if isinstance(value, Decimal):
        return plain(value)
    return None if value is None else str(value)


def _written(value: object) -> str | int | bool | None:
    if isinstance(value, datetime):
        return value.isoformat()
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str | UUID | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


def _read(hint: Any, value: Any) -> Any:  # noqa: ANN401  # any field's type
    if value is None:
        return None
    if isinstance(hint, UnionType):
        (hint,) = set(get_args(hint)) - {NoneType}
    kind = getattr(hint, "__supertype__", hint)  # what a NewType stands for
    if kind is datetime:
        return datetime.fromisoformat(value)
    return kind(value)
