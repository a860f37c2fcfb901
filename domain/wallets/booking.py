"""Money moved by one call: a command whose every word is known before its transaction begins.

All but what accounts hold once it is done. Where that is told, a blank is left, which whoever books
fills in; so that no lock waits for us to answer, and a wallet everybody pays into is held for as
long as the database needs, not for as long as the network does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from domain.kernel.events import NewEvent
from domain.kernel.idempotency import Command
from domain.kernel.money import plain
from domain.wallets.model import Account, JournalEntry, Posted

Blanks = Mapping[str, Account]
"""Names of fields, and the account whose balance right after the entry is to stand there."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event as far as the entry tells it."""

    event: NewEvent
    blanks: Blanks

    def of(self, posted: Posted) -> NewEvent:
        """The event, once it is known what the accounts hold."""
        balances = {state.account: plain(state.balance) for state in posted.states}
        filled = {name: balances[account] for name, account in self.blanks.items()}
        return replace(self.event, body={**self.event.body, **filled})


@dataclass(frozen=True, slots=True)
class Cap:
    """Transfers take no more than ``most`` from ``account`` after ``since``, this one included."""

    account: Account
    since: datetime
    most: Decimal


@dataclass(frozen=True, slots=True)
class Booking:
    """A command that moves money unless something is in the way."""

    command: Command
    entry: JournalEntry
    announcements: Sequence[Announcement]
    outcome: Mapping[str, object]
    """What is kept under the command's key, as ``Outcomes.kept`` writes it."""
    blanks: Blanks
    """Of the outcome's values."""
    caps: Sequence[Cap] = ()
