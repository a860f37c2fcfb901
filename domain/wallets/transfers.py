"""Money from one user to another: at once, exactly, once."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.idempotency import (
    Command,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    Outcomes,
    digest_of,
    once,
)
from domain.kernel.ids import AssetCode, UserId
from domain.wallets import ledger
from domain.wallets.errors import (
    BadAmount,
    InsufficientFunds,
    OwnWallet,
    Refusal,
    UnknownAsset,
    UnknownRecipient,
    WalletFrozen,
)
from domain.wallets.model import EntryId, Posted
from domain.wallets.ports import Assets, Recipients, Work, Works
from domain.wallets.recording import record


@dataclass(frozen=True, slots=True)
class TransferFunds:
    """Send ``amount`` of ``asset`` to another user."""

    sender: UserId
    recipient: UserId
    asset: str
    amount: Decimal
    idempotency_key: UUID


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that was made."""

    entry_id: EntryId
    recipient: UserId
    asset: AssetCode
    amount: Decimal
    available: Decimal
    """What the sender could dispose of right after it."""


TransferRefusal = (
    UnknownAsset
    | BadAmount
    | OwnWallet
    | UnknownRecipient
    | InsufficientFunds
    | WalletFrozen
    | IdempotencyInProgress
    | IdempotencyKeyReused
)

_OUTCOMES = Outcomes(Transfer, InsufficientFunds, UnknownRecipient, WalletFrozen)


class Transfers:
    """Sends money between users."""

    def __init__(
        self, *, works: Works, assets: Assets, recipients: Recipients, clock: Clock
    ) -> None:
        self._works = works
        self._assets = assets
        self._recipients = recipients
        self._clock = clock

    async def transfer(self, wish: TransferFunds) -> Transfer | TransferRefusal:
        """Move it, or say why not. Raises Unavailable, TimedOut, Conflict.

        What the wish alone shows to be wrong is not kept under its key; all else is.
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
        receiving = await self._recipients.can_receive(wish.recipient)

        async def rule(work: Work) -> Transfer | UnknownRecipient | Refusal:
            return await self._move(work, wish, asset.code) if receiving else UnknownRecipient()

        digest = digest_of(recipient=wish.recipient, asset=asset.code, amount=amount)
        command = Command(wish.sender, "transferFunds", wish.idempotency_key, digest)
        done = once(self._works.begin, command, _OUTCOMES, rule, clock=self._clock)
        return await done  # type: ignore[return-value]  # no hold is involved

    async def _move(self, work: Work, wish: TransferFunds, asset: AssetCode) -> Transfer | Refusal:
        entry = ledger.transfer(
            wish.sender, wish.recipient, asset, wish.amount, at=self._clock.now()
        )
        posted = await record(work, entry)
        if not isinstance(posted, Posted):
            return posted
        left = next(s.balance for s in posted.states if s.account.owner == wish.sender)
        return Transfer(entry.id, wish.recipient, asset, wish.amount, left)
