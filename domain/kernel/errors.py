"""User errors: what a person can act on. A value that is returned and listed, never raised.

graphql-core re-raises any exception instance a resolver returns, therefore these are plain frozen
dataclasses. Derive, give ``code`` and a ``message`` property::

    @dataclass(frozen=True)
    class UnknownInstrument(UserError):
        code: ClassVar[ErrorCode] = ErrorCode.UNKNOWN_INSTRUMENT
        ...
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class KernelErrorCode(StrEnum):
    """Codes that belong to no single domain. A code is never reused for another meaning."""

    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    BAD_INPUT = "BAD_INPUT"
    RATE_LIMITED = "RATE_LIMITED"
    NOT_FOUND = "NOT_FOUND"
    NEEDS_SECOND_PERSON = "NEEDS_SECOND_PERSON"
    ALREADY_DECIDED = "ALREADY_DECIDED"


class UserError:
    """A request that was understood and is declined; ``path`` names the argument at fault."""

    code: ClassVar[StrEnum]

    @property
    def message(self) -> str:
        """One sentence for the person, saying what to do."""
        raise NotImplementedError

    @property
    def path(self) -> tuple[str, ...] | None:
        """The input field at fault, outermost first; nothing when no single field is."""
        return None

    @property
    def details(self) -> Mapping[str, object]:
        """What a client program needs to act: JSON values, merged into the error's extensions."""
        return {}


def error_codes(kind: type[UserError] = UserError) -> Iterator[str]:
    """The code of every user error that is imported, by name of its class."""
    for derived in sorted(kind.__subclasses__(), key=lambda each: each.__qualname__):
        if "code" in vars(derived):
            yield str(derived.code)
        yield from error_codes(derived)


@dataclass(frozen=True)
class Unauthenticated(UserError):
    """Nobody is signed in, and the field needs somebody."""

    code: ClassVar[StrEnum] = KernelErrorCode.UNAUTHENTICATED

    @property
    def message(self) -> str:
        return "Sign in first: send an ID token as 'Authorization: Bearer ...'."


@dataclass(frozen=True)
class Forbidden(UserError):
    """The caller is known and may not."""

    code: ClassVar[StrEnum] = KernelErrorCode.FORBIDDEN

    @property
    def message(self) -> str:
        return "Your account may not use this."


@dataclass(frozen=True)
class BadInput(UserError):
    """A value has the right type and still makes no sense here."""

    code: ClassVar[StrEnum] = KernelErrorCode.BAD_INPUT
    argument: str
    reason: str

    @property
    def message(self) -> str:
        return f"{self.argument}: {self.reason}"

    @property
    def path(self) -> tuple[str, ...]:
        return (self.argument,)


@dataclass(frozen=True)
class RateLimited(UserError):
    """The same was done too often; it passes by itself."""

    code: ClassVar[StrEnum] = KernelErrorCode.RATE_LIMITED
    retry_after_ms: int

    @property
    def message(self) -> str:
        return "You did this too often. Wait a moment and try again."

    @property
    def details(self) -> Mapping[str, object]:
        return {"retryAfterMs": self.retry_after_ms}


@dataclass(frozen=True)
class NotFound(UserError):
    """There is no such thing, or it is not the caller's to see: both look the same."""

    code: ClassVar[StrEnum] = KernelErrorCode.NOT_FOUND
    what: str
    argument: str

    @property
    def message(self) -> str:
        return f"There is no such {self.what}."

    @property
    def path(self) -> tuple[str, ...]:
        return (self.argument,)


@dataclass(frozen=True)
class NeedsSecondPerson(UserError):
    """Who proposed something cannot approve it."""

    code: ClassVar[StrEnum] = KernelErrorCode.NEEDS_SECOND_PERSON

    @property
    def message(self) -> str:
        return "Somebody else than who proposed this has to decide it."


@dataclass(frozen=True)
class AlreadyDecided(UserError):
    """The proposal is no longer open."""

    code: ClassVar[StrEnum] = KernelErrorCode.ALREADY_DECIDED

    @property
    def message(self) -> str:
        return "This proposal was decided already."
