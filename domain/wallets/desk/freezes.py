"""Freezing a wallet: nothing leaves it until staff lets it; what comes in is taken."""

from dataclasses import dataclass, field

from domain.kernel.errors import BadInput, NotFound
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.wallets.desk.errors import OwnMoney
from domain.wallets.desk.model import LedgerAccount
from domain.wallets.desk.ports import DeskWorks, LedgerBooks
from domain.wallets.desk.staff import reason_problem, staff_of
from domain.wallets.errors import UnknownAsset
from domain.wallets.events import wallet_frozen, wallet_unfrozen
from domain.wallets.model import available
from domain.wallets.ports import Assets


@dataclass(frozen=True, slots=True)
class AboutWallet:
    """One asset of one person, and why."""

    owner: UserId
    asset: str
    reason: str = field(repr=False)


class Freezes:
    """What is held for something under way goes its way: only what is available is frozen."""

    def __init__(self, *, works: DeskWorks, assets: Assets, books: LedgerBooks) -> None:
        self._works = works
        self._assets = assets
        self._books = books

    async def freeze(
        self, viewer: Viewer, wish: AboutWallet
    ) -> LedgerAccount | NotFound | UnknownAsset | BadInput:
        """Frozen already stays so, and its owner is told once. Raises Unavailable, TimedOut."""
        return await self._change(viewer, wish, frozen=True)

    async def unfreeze(
        self, viewer: Viewer, wish: AboutWallet
    ) -> LedgerAccount | NotFound | UnknownAsset | OwnMoney | BadInput:
        """Never one's own. Raises Unavailable, TimedOut."""
        if staff_of(viewer) == wish.owner:
            refused = OwnMoney()
            details = {"asset": wish.asset[:20], "code": refused.code.value}
            async with self._works.begin() as work:
                work.log.add(viewer, wish.owner, "wallet.unfrozen", denied=True, details=details)
            return refused
        return await self._change(viewer, wish, frozen=False)

    async def _change(
        self, viewer: Viewer, wish: AboutWallet, *, frozen: bool
    ) -> LedgerAccount | NotFound | UnknownAsset | BadInput:
        problem = reason_problem(wish.reason)
        if problem is not None:
            return problem
        asset = await self._assets.asset(wish.asset)
        if asset is None:
            return UnknownAsset(wish.asset)
        account = available(wish.owner, asset.code)
        async with self._works.begin() as work:
            changed = await work.ledger.freeze(account, frozen=frozen)
            if changed is None:
                return NotFound("wallet", "userId")
            if changed:
                tell = wallet_frozen if frozen else wallet_unfrozen
                work.events.append(tell(wish.owner, asset.code))
            # Also when it was so already: somebody wanted it again, and why is worth keeping.
            action = "wallet.frozen" if frozen else "wallet.unfrozen"
            details = {"asset": asset.code, "changed": str(changed).lower(), "reason": wish.reason}
            work.log.add(viewer, wish.owner, action, details=details)
        found = await self._books.account(account.id)
        if found is None:
            raise LookupError("a wallet that was there a moment ago")
        return found
