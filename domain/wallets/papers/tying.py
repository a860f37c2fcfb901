"""From bookings to lines, adding up: the balance beside each line is the ledger's own.

What does not tie is a bug, of the ledger or of ours, and is never given to anybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain, total
from domain.wallets.model import AccountKind
from domain.wallets.papers.model import Booking, Line, Range, Standing

_MASKED_DIGITS = 6


class DoesNotTie(Exception):
    """The lines do not lead from the opening to the closing balance."""


@dataclass(slots=True)
class _Sums:
    available: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    came_in: Decimal = Decimal(0)
    went_out: Decimal = Decimal(0)

    def moved(self, change: Decimal) -> None:
        if change > 0:
            self.came_in = total((self.came_in, change))
        else:
            self.went_out = total((self.went_out, change))


class Running:
    """The balances of one statement, from its first line to its last."""

    def __init__(self, owner: UserId, ranges: Sequence[Range]) -> None:
        self._owner = owner
        self._ranges = ranges
        self._sums: dict[AssetCode, _Sums] = {}
        for each in ranges:
            _put(self._sums.setdefault(each.asset, _Sums()), each.kind, each.opening)
        self.postings = 0
        """How many were added so far."""

    def standings(self) -> list[Standing]:
        """As of now, by asset."""
        return [
            Standing(
                asset,
                total((sums.available, sums.held)),
                sums.available,
                sums.came_in,
                sums.went_out,
            )
            for asset, sums in sorted(self._sums.items())
        ]

    def line(self, booking: Booking) -> Line:
        """The next line. Raises DoesNotTie when the ledger's own balance is another."""
        sums = self._sums.get(booking.asset)
        if sums is None:
            raise DoesNotTie(f"{booking.entry_id} is of an asset that is not asked for")
        sums.available = total((sums.available, booking.available_change))
        sums.held = total((sums.held, booking.held_change))
        for kind, ran, booked in (
            (AccountKind.AVAILABLE, sums.available, booking.available_after),
            (AccountKind.HELD, sums.held, booking.held_after),
        ):
            if booked is not None:
                self.postings += 1
                _require(f"{booking.entry_id} {kind}", ran, booked)
        change = total((booking.available_change, booking.held_change))
        sums.moved(change)
        return Line(
            at=booking.at,
            entry_id=booking.entry_id,
            kind=booking.kind.value,
            asset=booking.asset,
            change=change,
            total=total((sums.available, sums.held)),
            available=sums.available,
            counterparty=counterparty_of(booking, self._owner),
            note=note_of(booking),
        )

    def finish(self) -> None:
        """Raises DoesNotTie unless every account came to its closing balance, by all its lines."""
        for each in self._ranges:
            sums = self._sums[each.asset]
            ran = sums.available if each.kind is AccountKind.AVAILABLE else sums.held
            _require(f"closing {each.asset} {each.kind}", ran, each.closing)
        expected = sum(each.lines for each in self._ranges)
        if self.postings != expected:
            raise DoesNotTie(f"{self.postings} lines were read, the ledger has {expected}")


def counterparty_of(booking: Booking, owner: UserId) -> str:
    """The other side of a transfer, masked: enough to tell two people apart, not to find one."""
    for side in ("recipient", "sender"):
        other = booking.details.get(side)
        if other is not None and other != str(owner):
            return f"user *{other[-_MASKED_DIGITS:]}"
    return ""


def note_of(booking: Booking) -> str:
    """What the entry says of itself: ids and words."""
    parts = [
        f"{name} {value}"
        for name, value in (
            ("reverses", booking.reverses),
            ("hold", booking.hold_id),
            ("source", booking.source),
        )
        if value is not None
    ]
    # Nothing else of the details: what staff wrote down is not the owner's business.
    if "note" in booking.details:
        parts.append(booking.details["note"])
    return "; ".join(parts)


def _put(sums: _Sums, kind: AccountKind, amount: Decimal) -> None:
    if kind is AccountKind.AVAILABLE:
        sums.available = amount
    else:
        sums.held = amount


def _require(what: str, ran: Decimal, booked: Decimal) -> None:
    if ran != booked:
        raise DoesNotTie(f"{what}: {plain(ran)} by the lines, {plain(booked)} in the ledger")
