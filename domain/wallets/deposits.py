"""Money that comes in. Until the exchange sends some, a sandbox's faucet does."""

from decimal import Decimal
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.ids import UserId
from domain.wallets import ledger
from domain.wallets.errors import BadAmount, UnknownAsset
from domain.wallets.model import Account, AccountKind, Asset, Posted, house
from domain.wallets.ports import Assets, Works
from domain.wallets.recording import record


class Deposits:
    """Credits users."""

    def __init__(self, *, works: Works, assets: Assets, clock: Clock) -> None:
        self._works = works
        self._assets = assets
        self._clock = clock

    async def credit(
        self, owner: UserId, asset: Asset, amount: Decimal, *, origin: Account, source: str
    ) -> Posted:
        """Credit what arrived at ``origin``; the same ``source`` again changes nothing.

        Raises Unavailable, TimedOut, Conflict.
        """
        entry = ledger.deposit(
            owner, asset.code, amount, origin=origin, source=source, at=self._clock.now()
        )
        async with self._works.begin() as work:
            posted = await record(work, entry)
            if isinstance(posted, Posted):
                return posted
            raise TypeError("a deposit takes nothing from anybody, and was refused")

    async def faucet(
        self, owner: UserId, asset: str, amount: Decimal, *, key: UUID
    ) -> Posted | UnknownAsset | BadAmount:
        """Give play money away, once per ``key``. Only a sandbox is wired to it."""
        known = await self._assets.asset(asset)
        if known is None:
            return UnknownAsset(asset)
        checked = ledger.checked_amount(amount, known)
        if isinstance(checked, BadAmount):
            return checked
        origin = house(AccountKind.FAUCET, known.code)
        return await self.credit(owner, known, checked, origin=origin, source=f"faucet:{key}")
