"""Money from one user to another: at once, exactly, once.

A plain session is enough: what is sent stays here, within limits, and can be traced to who has it.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.failures import Failure
from domain.kernel.idempotency import (
    Command,
    Done,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    NotKept,
    Outcomes,
    digest_of,
    once,
)
from domain.kernel.ids import AssetCode, UserId
from domain.wallets import ledger, limits
from domain.wallets.booking import Booking
from domain.wallets.errors import (
    BadAmount,
    InsufficientFunds,
    LimitExceeded,
    OwnWallet,
    Refusal,
    TooManyRecipients,
    UnknownAsset,
    UnknownRecipient,
    WalletFrozen,
)
from domain.wallets.events import announcements
from domain.wallets.limits import Allowance, Limits
from domain.wallets.model import Asset, EntryId, Posted, available
from domain.wallets.payees import Payees
from domain.wallets.ports import Assets, LookUps, Recipients, Sent, Work, Works
from domain.wallets.recording import record

FEE = Decimal(0)
"""Of a transfer between users."""


@dataclass(frozen=True, slots=True)
class TransferFunds:
    """Send ``amount`` of ``asset`` to another user."""

    sender: UserId
    recipient: UserId | str
    """An account, or the verified address of one."""
    asset: str
    amount: Decimal
    idempotency_key: UUID


@dataclass(frozen=True, slots=True)
class TransferWish:
    """The same before it is known who sends it."""

    recipient: UserId | str
    asset: str
    amount: Decimal
    idempotency_key: UUID

    def by(self, sender: UserId) -> TransferFunds:
        return TransferFunds(sender, self.recipient, self.asset, self.amount, self.idempotency_key)


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that was made."""

    entry_id: EntryId
    sender: UserId
    recipient: UserId
    asset: AssetCode
    amount: Decimal
    available: Decimal
    """What the sender could dispose of right after it."""
    at: datetime
    fee: Decimal = FEE
    """What the sender paid on top."""


TransferRefusal = (
    UnknownAsset
    | BadAmount
    | OwnWallet
    | UnknownRecipient
    | TooManyRecipients
    | LimitExceeded
    | InsufficientFunds
    | WalletFrozen
    | IdempotencyInProgress
    | IdempotencyKeyReused
)

_OUTCOMES = Outcomes(
    Transfer, InsufficientFunds, UnknownRecipient, OwnWallet, WalletFrozen, LimitExceeded
)


_Found: TypeAlias = UserId | UnknownRecipient | TooManyRecipients | Failure


def _payee_of(found: _Found) -> UserId | UnknownRecipient:
    """Whom to pay; asked once the key is claimed, which what is raised here leaves unclaimed.

    A key that was answered before is answered the same, whatever is said of its recipient today.
    """
    if isinstance(found, Failure):
        raise found
    if isinstance(found, TooManyRecipients):
        raise NotKept(found)
    return found


class Transfers:
    """Sends money between users."""

    def __init__(
        self,
        *,
        works: Works,
        assets: Assets,
        recipients: Recipients,
        look_ups: LookUps,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._works = works
        self._assets = assets
        self._payees = Payees(recipients=recipients, look_ups=look_ups)
        self._limits = limits
        self._clock = clock

    async def transfer(self, wish: TransferFunds) -> Transfer | TransferRefusal:
        """Move it, or say why not. Raises Unavailable, TimedOut, Conflict.

        What the wish alone shows to be wrong is not kept under its key, nor that too many were
        asked about; all else is.
        """
        asset = await self._assets.asset(wish.asset)
        if asset is None:
            return UnknownAsset(wish.asset)
        amount = ledger.checked_amount(wish.amount, asset)
        if isinstance(amount, BadAmount):
            return amount
        if wish.recipient == wish.sender:
            return OwnWallet()
        # Asked before the transaction, which then holds no lock while others answer; decided
        # inside of it, because who was paid yesterday may be gone today, and the answer is not.
        found = await self._found(wish)
        allowed = await self._limits.allowance(wish.sender, asset.code)
        mark = self._payees.mark(wish.recipient)
        digest = digest_of(recipient=mark, asset=asset.code, amount=amount)
        command = Command(wish.sender, "transferFunds", wish.idempotency_key, digest)
        return await self._booked(command, wish, found, asset, allowed) or await self._decided(
            command, wish, found, asset, allowed
        )

    async def _booked(
        self, command: Command, wish: TransferFunds, found: _Found, asset: Asset, allowed: Allowance
    ) -> Transfer | TransferRefusal | None:
        """In one call when nothing is in the way, as it is nearly always; otherwise nothing."""
        sender, code, amount = wish.sender, asset.code, wish.amount
        if (
            not isinstance(found, UUID)
            or found == sender
            or limits.problem(code, limits.counted(amount, FEE), allowed.at_once, Sent())
        ):
            return None
        now = self._clock.now()
        entry = ledger.transfer(sender, found, code, amount, at=now, fee=FEE)
        # What is available then is left blank.
        transfer = Transfer(entry.id, sender, found, code, amount, Decimal(0), now)
        own = available(sender, code)
        booking = Booking(
            command,
            entry,
            tuple(announcements(entry)),
            _OUTCOMES.kept(transfer),
            blanks={"available": own},
            caps=limits.caps(own, allowed, now=now),
        )
        match await self._works.book(booking):
            case Posted(states=states):
                left = next(state.balance for state in states if state.account == own)
                return replace(transfer, available=left)
            case Done(outcome):
                return _OUTCOMES.replayed(outcome)  # type: ignore[no-any-return]  # what was kept
            case None:
                return None

    async def _decided(
        self, command: Command, wish: TransferFunds, found: _Found, asset: Asset, allowed: Allowance
    ) -> Transfer | TransferRefusal:
        """Step by step, with words for whatever is in the way, which are kept under the key."""

        async def rule(
            work: Work,
        ) -> Transfer | UnknownRecipient | OwnWallet | LimitExceeded | Refusal:
            payee = _payee_of(found)
            if isinstance(payee, UnknownRecipient):
                return payee
            if payee == wish.sender:
                return OwnWallet()
            return await self._move(work, wish, payee, asset, allowed)

        done = once(self._works.begin, command, _OUTCOMES, rule)
        return await done  # type: ignore[return-value]  # no hold is involved

    async def _found(self, wish: TransferFunds) -> _Found:
        try:
            return await self._payees.find(wish.sender, wish.recipient)
        except Failure as failure:
            return failure

    async def _move(
        self,
        work: Work,
        wish: TransferFunds,
        recipient: UserId,
        asset: Asset,
        allowed: Allowance,
    ) -> Transfer | LimitExceeded | Refusal:
        sender, code, amount = wish.sender, asset.code, wish.amount
        counted = limits.counted(amount, FEE)
        now = self._clock.now()
        too_much = limits.problem(code, counted, allowed.at_once, Sent())
        if too_much is not None:
            return too_much
        entry = ledger.transfer(sender, recipient, code, amount, at=now, fee=FEE)
        posted = await record(work, entry)
        if not isinstance(posted, Posted):
            return posted
        if allowed.counts:
            # Asked once the sender's balance is locked: of two at once, one sees the other. A no
            # takes back what was just posted.
            sent = await work.ledger.sent(sender, code, now=now)
            before = limits.without(sent, counted)
            too_much = limits.problem(code, counted, allowed.rolling, before)
            if too_much is not None:
                return too_much
        left = next(s.balance for s in posted.states if s.account.owner == sender)
        return Transfer(entry.id, sender, recipient, code, amount, left, now)
