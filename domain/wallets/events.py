"""What is told of wallets: the catalogue of this domain's events.

Every event goes to ``user:<id>`` of the wallet's owner, one per asset that an entry touched. Bodies
hold ids and amounts: what changed, and what is there now.
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from domain.kernel.events import Event, NewEvent, stream_of_user
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import plain
from domain.wallets.booking import Announcement
from domain.wallets.model import (
    AccountKind,
    EntryKind,
    JournalEntry,
    Posted,
    Posting,
    Wallet,
)

_Wallet = tuple[UserId, AssetCode]
_TYPES = {
    EntryKind.DEPOSIT: "wallet.deposited",
    EntryKind.FEE: "wallet.fee_charged",
    EntryKind.ADJUSTMENT: "wallet.adjusted",
    EntryKind.REVERSAL: "wallet.reversed",
    EntryKind.HOLD_PLACED: "wallet.hold_placed",
    EntryKind.HOLD_POSTED: "wallet.hold_posted",
    EntryKind.HOLD_VOIDED: "wallet.hold_voided",
    EntryKind.HOLD_EXPIRED: "wallet.hold_expired",
}

_FREEZING = {"wallet.frozen": True, "wallet.unfrozen": False}


def announcements(entry: JournalEntry) -> Iterator[Announcement]:
    """What every owner is told of an entry, but for what their wallets then hold."""
    wallets: dict[_Wallet, dict[AccountKind, Posting]] = {}
    for posting in entry.postings:
        account = posting.account
        if account.owner is not None:
            wallets.setdefault((account.owner, account.asset), {})[account.kind] = posting
    for (owner, asset), postings in wallets.items():
        available, held = postings.get(AccountKind.AVAILABLE), postings.get(AccountKind.HELD)
        # An account that the entry left alone holds what it held: nothing is told of that.
        body: dict[str, object] = {
            "entryId": str(entry.id),
            "asset": asset,
            "availableChange": _change(available),
            "available": None,
            "heldChange": _change(held),
            "held": None,
        }
        if entry.hold_id is not None:
            body["holdId"] = str(entry.hold_id)
        named = {"available": available, "held": held}
        blanks = {name: each.account for name, each in named.items() if each is not None}
        yield Announcement(
            NewEvent(stream_of_user(owner), _type(entry.kind, available), body), blanks
        )


def wallet_events(entry: JournalEntry, posted: Posted) -> Iterator[NewEvent]:
    """What every owner is told of an entry; nothing of one that was posted before."""
    if not posted.repeated:
        for announcement in announcements(entry):
            yield announcement.of(posted)


def wallet_frozen(owner: UserId, asset: AssetCode) -> NewEvent:
    return NewEvent(stream_of_user(owner), "wallet.frozen", {"asset": asset})


def wallet_unfrozen(owner: UserId, asset: AssetCode) -> NewEvent:
    return NewEvent(stream_of_user(owner), "wallet.unfrozen", {"asset": asset})


def is_of_wallet(event: Event) -> bool:
    """Whether an event tells of a wallet."""
    return event.type.startswith("wallet.")


def wallet_after(event: Event, before: Wallet) -> Wallet:
    """The wallet as ``event`` left it: what the event does not tell is what it was ``before``."""
    available, held = event.body.get("available"), event.body.get("held")
    return replace(
        before,
        available=before.available if available is None else Decimal(str(available)),
        held=before.held if held is None else Decimal(str(held)),
        frozen=_FREEZING.get(event.type, before.frozen),
        # Clocks of two processes differ by some milliseconds; a wallet never gets any older.
        as_of=max(before.as_of, event.recorded_at),
    )


def _type(kind: EntryKind, available: Posting | None) -> str:
    if kind is EntryKind.TRANSFER:
        sent = available is not None and available.amount < 0
        return "wallet.transfer_sent" if sent else "wallet.transfer_received"
    return _TYPES[kind]


def _change(posting: Posting | None) -> str:
    return plain(Decimal(0) if posting is None else posting.amount)
