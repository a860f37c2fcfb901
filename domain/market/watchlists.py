"""Watchlists: a person's own named lists of instruments, in the person's own order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.kernel.errors import BadInput, UserError
from domain.kernel.ids import InstrumentId, UserId

LISTS_MAX = 20
INSTRUMENTS_MAX = 100
NAME_CHARACTERS_MAX = 40


class WatchlistErrorCode(StrEnum):
    """Codes of watchlists."""

    WATCHLIST_FULL = "WATCHLIST_FULL"
    WATCHLIST_NAME_TAKEN = "WATCHLIST_NAME_TAKEN"


@dataclass(frozen=True)
class WatchlistFull(UserError):
    """There is no room for more."""

    code: ClassVar[StrEnum] = WatchlistErrorCode.WATCHLIST_FULL
    most: int
    of: str

    @property
    def message(self) -> str:
        return f"There is room for {self.most} {self.of}. Remove one first."


@dataclass(frozen=True)
class WatchlistNameTaken(UserError):
    """The person has another list of that name."""

    code: ClassVar[StrEnum] = WatchlistErrorCode.WATCHLIST_NAME_TAKEN
    name: str

    @property
    def message(self) -> str:
        return f"You have a list called {self.name!r} already."

    @property
    def path(self) -> tuple[str, ...]:
        return ("name",)


@dataclass(frozen=True, slots=True)
class Watchlist:
    """One list. Every instrument is in it at most once."""

    id: UUID
    owner: UserId
    name: str
    instruments: Sequence[InstrumentId] = ()

    def added(self, instrument: InstrumentId) -> "Watchlist | WatchlistFull":
        """With ``instrument`` at its end; the same list when it is in it already."""
        if instrument in self.instruments:
            return self
        if len(self.instruments) >= INSTRUMENTS_MAX:
            return WatchlistFull(INSTRUMENTS_MAX, "instruments in a list")
        return replace(self, instruments=(*self.instruments, instrument))

    def removed(self, instrument: InstrumentId) -> "Watchlist":
        """Without ``instrument``; the same list when it is not in it."""
        return replace(self, instruments=tuple(i for i in self.instruments if i != instrument))

    def moved(self, instrument: InstrumentId, position: int) -> "Watchlist | BadInput":
        """With ``instrument`` at ``position`` (from 0), the others in their order."""
        if instrument not in self.instruments:
            return BadInput("instrument", "is not in this list.")
        if not 0 <= position < len(self.instruments):
            return BadInput("position", f"give 0 to {len(self.instruments) - 1}.")
        others = [i for i in self.instruments if i != instrument]
        return replace(self, instruments=(*others[:position], instrument, *others[position:]))


def new_watchlist(
    made: UUID, owner: UserId, name: str, *, existing: Sequence[Watchlist]
) -> Watchlist | WatchlistFull | WatchlistNameTaken | BadInput:
    """An empty list of ``owner``, beside the ones there are."""
    if len(existing) >= LISTS_MAX:
        return WatchlistFull(LISTS_MAX, "lists")
    checked = _checked_name(name, existing)
    return checked if not isinstance(checked, str) else Watchlist(made, owner, checked)


def renamed(
    watchlist: Watchlist, name: str, *, existing: Sequence[Watchlist]
) -> Watchlist | WatchlistNameTaken | BadInput:
    """The same list under another name."""
    others = [other for other in existing if other.id != watchlist.id]
    checked = _checked_name(name, others)
    return checked if not isinstance(checked, str) else replace(watchlist, name=checked)


def _checked_name(name: str, others: Sequence[Watchlist]) -> str | WatchlistNameTaken | BadInput:
    shown = " ".join(name.split())
    if not 1 <= len(shown) <= NAME_CHARACTERS_MAX or not shown.isprintable():
        return BadInput("name", f"give 1 to {NAME_CHARACTERS_MAX} printable characters.")
    if any(other.name.casefold() == shown.casefold() for other in others):
        return WatchlistNameTaken(shown)
    return shown
