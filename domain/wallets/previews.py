"""What a transfer would come to, and what somebody may still send: reading, nothing is reserved."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.errors import UserError
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import total, trimmed
from domain.wallets import ledger, limits
from domain.wallets.errors import (
    BadAmount,
    InsufficientFunds,
    OwnWallet,
    UnknownAsset,
    UnknownRecipient,
    WalletFrozen,
)
from domain.wallets.limits import Limits
from domain.wallets.model import Asset, Balance, Recipient, TransferLimit
from domain.wallets.payees import Payees
from domain.wallets.ports import Assets, Books, LookUps, Recipients, Sent
from domain.wallets.transfers import FEE


@dataclass(frozen=True, slots=True)
class PreviewWish:
    """What somebody thinks of sending."""

    recipient: UserId | str
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TransferPreview:
    """What a transfer would come to right now."""

    asset: str
    amount: Decimal
    recipient: Recipient | None = None
    """Nothing when nobody, or not somebody else, can be paid under that name."""
    fee: Decimal = FEE
    available_after: Decimal | None = None
    """Nothing when there is not enough."""
    obstacles: tuple[UserError, ...] = ()
    """Everything the transfer would object to; the first is what it would answer."""

    @property
    def allowed(self) -> bool:
        return not self.obstacles


class Previews:
    """Runs the rules of a transfer without moving anything."""

    def __init__(
        self,
        *,
        books: Books,
        assets: Assets,
        recipients: Recipients,
        look_ups: LookUps,
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._books = books
        self._assets = assets
        self._recipients = recipients
        self._payees = Payees(recipients=recipients, look_ups=look_ups)
        self._limits = limits
        self._clock = clock

    async def transfer(self, sender: UserId, wish: PreviewWish) -> TransferPreview:
        """Raises Unavailable, TimedOut."""
        asset = await self._assets.asset(wish.asset)
        if asset is None:
            return _refused(wish, UnknownAsset(wish.asset))
        amount = ledger.checked_amount(wish.amount, asset)
        if isinstance(amount, BadAmount):
            return _refused(wish, amount)
        recipient = await self._recipient(sender, wish.recipient)
        balance = await self._balance(sender, asset)
        after = total((balance.available, amount.copy_negate(), FEE.copy_negate()))
        obstacles: list[UserError] = [] if isinstance(recipient, Recipient) else [recipient]
        obstacles += await self._about_money(sender, asset, amount, balance)
        return TransferPreview(
            asset=asset.code,
            amount=amount,
            recipient=recipient if isinstance(recipient, Recipient) else None,
            available_after=trimmed(after) if after >= 0 else None,
            obstacles=tuple(obstacles),
        )

    async def limits(self, sender: UserId, asset: str) -> Sequence[TransferLimit] | UnknownAsset:
        """What may be sent of an asset, and what is left of that. Raises Unavailable, TimedOut."""
        known = await self._assets.asset(asset)
        if known is None:
            return UnknownAsset(asset)
        allowed = await self._limits.allowance(sender, known.code)
        return limits.standing(known.code, allowed, await self._sent(sender, known.code))

    async def _recipient(self, sender: UserId, named: UserId | str) -> Recipient | UserError:
        if named == sender:
            return OwnWallet()
        found = await self._payees.find(sender, named)
        if isinstance(found, UserError):
            return found
        if found == sender:
            return OwnWallet()
        # Gone since: nobody to be paid any more.
        return (await self._recipients.shown([found])).get(found, UnknownRecipient())

    async def _about_money(
        self, sender: UserId, asset: Asset, amount: Decimal, balance: Balance
    ) -> Sequence[UserError]:
        """In the order in which the transfer itself asks."""
        allowed = await self._limits.allowance(sender, asset.code)
        counted = limits.counted(amount, FEE)
        found: list[UserError | None] = [
            limits.problem(asset.code, counted, allowed.at_once, Sent())
        ]
        if balance.frozen:
            found.append(WalletFrozen(asset.code))
        elif total((amount, FEE)) > balance.available:
            found.append(InsufficientFunds(asset.code, balance.available))
        if allowed.counts:
            sent = await self._sent(sender, asset.code)
            found.append(limits.problem(asset.code, counted, allowed.rolling, sent))
        return [each for each in found if each is not None]

    async def _balance(self, owner: UserId, asset: Asset) -> Balance:
        none = Balance(owner, asset.code, Decimal(0), Decimal(0))
        found = (await self._books.balances([owner])).get(owner, ())
        return next((each for each in found if each.asset == asset.code), none)

    async def _sent(self, owner: UserId, asset: AssetCode) -> Sent:
        return await self._books.sent(owner, asset, now=self._clock.now())


def _refused(wish: PreviewWish, error: UserError) -> TransferPreview:
    return TransferPreview(wish.asset, wish.amount, obstacles=(error,))
