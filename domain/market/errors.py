"""What a person can get wrong about the market."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import ClassVar

from domain.kernel.errors import UserError
from domain.kernel.ids import InstrumentId

NEAR_MATCHES_MAX = 3


class MarketErrorCode(StrEnum):
    """Codes of the market domain."""

    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    TOO_MANY_INSTRUMENTS = "TOO_MANY_INSTRUMENTS"
    NO_SUCH_HISTORY = "NO_SUCH_HISTORY"


@dataclass(frozen=True)
class UnknownInstrument(UserError):
    """No such instrument in that category; ``near`` are the likeliest symbols meant."""

    code: ClassVar[StrEnum] = MarketErrorCode.UNKNOWN_INSTRUMENT
    instrument: InstrumentId
    near: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        hint = f" Did you mean {', '.join(self.near)}?" if self.near else ""
        # Clipped: the symbol is the client's own text and comes back in an answer and a log.
        symbol = self.instrument.symbol[:40]
        return f"There is no {symbol!r} in category {self.instrument.category}.{hint}"

    @property
    def path(self) -> tuple[str, ...]:
        return ("symbol",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"near": list(self.near)}


@dataclass(frozen=True)
class TooManyInstruments(UserError):
    """A list argument is longer than one request may ask for."""

    code: ClassVar[StrEnum] = MarketErrorCode.TOO_MANY_INSTRUMENTS
    asked: int
    most: int

    @property
    def message(self) -> str:
        return f"Ask for at most {self.most} instruments at once, not {self.asked}."

    @property
    def path(self) -> tuple[str, ...]:
        return ("instruments",)

    @property
    def details(self) -> Mapping[str, object]:
        return {"most": self.most}


@dataclass(frozen=True)
class NoSuchHistory(UserError):
    """The instrument is of a kind that has no such thing."""

    code: ClassVar[StrEnum] = MarketErrorCode.NO_SUCH_HISTORY
    instrument: InstrumentId
    what: str

    @property
    def message(self) -> str:
        return f"{self.instrument.symbol} in {self.instrument.category} has no {self.what}."

    @property
    def path(self) -> tuple[str, ...]:
        return ("instrument",)


def near_matches(symbol: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three known symbols that look much like ``symbol``, the best first."""
    wanted = symbol[:40].upper().replace("-", "").replace("/", "").replace("_", "")
    return tuple(get_close_matches(wanted, known, n=NEAR_MATCHES_MAX, cutoff=0.75))
