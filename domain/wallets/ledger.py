"""The rules of the ledger, pure: which entries there can be.

What holds for an entry alone is decided here. What depends on balances (nobody below zero, numbers
without a gap, a hold resolved once) is decided where they are locked, in the one call that posts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.money import is_amount, plain, scale_of, total
from domain.wallets.errors import BadAmount, HoldTooSmall
from domain.wallets.model import (
    Account,
    AccountKind,
    Asset,
    EntryId,
    EntryKind,
    Hold,
    HoldId,
    HoldState,
    JournalEntry,
    Posting,
    available,
    held,
    house,
)

MOST = Decimal(10) ** 18
"""No amount comes up to it. A balance holds a hundred of them, and no coin has so many units."""

_RESOLVED_AS = {
    HoldState.POSTED: EntryKind.HOLD_POSTED,
    HoldState.VOIDED: EntryKind.HOLD_VOIDED,
    HoldState.EXPIRED: EntryKind.HOLD_EXPIRED,
}


class Unbalanced(ValueError):
    """An entry that must not be: a bug of whoever built it, never a person's mistake."""


def checked_amount(amount: Decimal, asset: Asset) -> Decimal | BadAmount:
    """``amount`` when it can be moved: above zero, below MOST, no finer than it is counted."""
    if is_amount(amount) and 0 < amount < MOST and scale_of(amount) <= asset.scale:
        return amount
    return BadAmount(asset.code, asset.scale)


def entry(
    kind: EntryKind,
    lines: Iterable[tuple[Account, Decimal]],
    *,
    at: datetime,
    actor: UserId | None = None,
    source: str | None = None,
    reverses: EntryId | None = None,
    hold_id: HoldId | None = None,
    details: Mapping[str, str] | None = None,
) -> JournalEntry:
    """An entry of ``lines``: those of one account are added up, and what is zero is left out.

    Raises Unbalanced unless every asset sums to zero.
    """
    shares: dict[Account, Decimal] = {}
    for account, amount in lines:
        shares[account] = total((shares.get(account, Decimal(0)), amount))
    postings = [Posting(account, amount) for account, amount in shares.items() if amount]
    _require_balance(postings)
    return JournalEntry(
        id=EntryId(new_uuid7()),
        kind=kind,
        postings=tuple(sorted(postings, key=lambda posting: posting.account.id)),
        at=at,
        actor=actor,
        source=source,
        reverses=reverses,
        hold_id=hold_id,
        details=dict(details or {}),
    )


def deposit(
    owner: UserId, asset: AssetCode, amount: Decimal, *, origin: Account, source: str, at: datetime
) -> JournalEntry:
    """Money that comes to a user from ``origin``; the same ``source`` comes once."""
    lines = [(available(owner, asset), amount), (origin, amount.copy_negate())]
    return entry(EntryKind.DEPOSIT, lines, at=at, source=source)


def transfer(
    sender: UserId,
    recipient: UserId,
    asset: AssetCode,
    amount: Decimal,
    *,
    at: datetime,
    fee: Decimal = Decimal(0),
) -> JournalEntry:
    """``amount`` from one user to another; the sender pays ``fee`` on top."""
    lines = [
        (available(sender, asset), total((amount, fee)).copy_negate()),
        (available(recipient, asset), amount),
        (house(AccountKind.FEES, asset), fee),
    ]
    parties = {"sender": str(sender), "recipient": str(recipient)}
    return entry(EntryKind.TRANSFER, lines, at=at, actor=sender, details=parties)


def fee(owner: UserId, asset: AssetCode, amount: Decimal, *, at: datetime) -> JournalEntry:
    """What a user pays us."""
    lines = [
        (available(owner, asset), amount.copy_negate()),
        (house(AccountKind.FEES, asset), amount),
    ]
    return entry(EntryKind.FEE, lines, at=at)


def adjustment(
    owner: UserId, asset: AssetCode, amount: Decimal, *, by: UserId, source: str, at: datetime
) -> JournalEntry:
    """A correction, up or down; ``source`` names the proposal that two of staff agreed on."""
    lines = [
        (available(owner, asset), amount),
        (house(AccountKind.ADJUSTMENT, asset), amount.copy_negate()),
    ]
    return entry(EntryKind.ADJUSTMENT, lines, at=at, actor=by, source=source)


def reversal(original: JournalEntry, *, at: datetime, by: UserId | None = None) -> JournalEntry:
    """The entry that takes ``original`` back. One about a hold cannot be: resolve the hold."""
    if original.hold_id is not None or original.kind is EntryKind.REVERSAL:
        raise Unbalanced(f"{original.kind} is not taken back by a reversal")
    lines = [(each.account, each.amount.copy_negate()) for each in original.postings]
    return entry(EntryKind.REVERSAL, lines, at=at, actor=by, reverses=original.id)


def placing(hold: Hold) -> JournalEntry:
    """The entry that reserves what ``hold`` says."""
    lines = [
        (available(hold.owner, hold.asset), hold.amount.copy_negate()),
        (held(hold.owner, hold.asset), hold.amount),
    ]
    # What no posting says and a hold is rebuilt from.
    details = {"reason": hold.reason}
    if hold.expires_at is not None:
        details["expiresAt"] = hold.expires_at.isoformat()
    return entry(EntryKind.HOLD_PLACED, lines, at=hold.created_at, hold_id=hold.id, details=details)


def resolved(
    hold: Hold, state: HoldState, *, at: datetime, taken: Decimal = Decimal(0)
) -> Hold | HoldTooSmall:
    """``hold`` as it is once it is resolved; ``taken`` only when it is posted."""
    if taken > hold.amount:
        return HoldTooSmall(hold.asset, hold.amount)
    if (state is HoldState.POSTED) != (taken > 0):
        raise Unbalanced("what is posted takes something, and nothing else does")
    return replace(hold, state=state, posted=taken, resolved_at=at)


def resolving(hold: Hold, *, to: Account | None = None) -> JournalEntry:
    """The entry of a hold that ``resolved`` gave: ``to`` gets what is taken, its owner the rest."""
    if hold.state is HoldState.OPEN or hold.resolved_at is None:
        raise Unbalanced("the hold is still open")
    rest = total((hold.amount, hold.posted.copy_negate()))
    lines = [
        (held(hold.owner, hold.asset), hold.amount.copy_negate()),
        (available(hold.owner, hold.asset), rest),
    ]
    if hold.posted:
        if to is None:
            raise Unbalanced("what is taken goes somewhere")
        lines.append((to, hold.posted))
    details = {"taken": plain(hold.posted)} if hold.posted else {}
    kind = _RESOLVED_AS[hold.state]
    return entry(kind, lines, at=hold.resolved_at, hold_id=hold.id, details=details)


def _require_balance(postings: Iterable[Posting]) -> None:
    sums: dict[AssetCode, list[Decimal]] = {}
    for posting in postings:
        if not is_amount(posting.amount):
            raise Unbalanced(f"{posting.amount} is no amount")
        sums.setdefault(posting.account.asset, []).append(posting.amount)
    if not sums:
        raise Unbalanced("an entry moves something")
    for asset, amounts in sums.items():
        if total(amounts):
            raise Unbalanced(f"{asset} does not sum to zero")
