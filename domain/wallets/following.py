"""Wallets followed live: as they are now, then as each event left them."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from domain.kernel.clock import Clock
from domain.kernel.errors import UserError
from domain.kernel.events import Event, event_cursor, stream_of_user
from domain.kernel.ids import AssetCode, UserId
from domain.wallets.errors import UnknownAsset
from domain.wallets.events import is_of_wallet, wallet_after
from domain.wallets.model import Wallet
from domain.wallets.ports import Assets, Books, EventStreams
from domain.wallets.statements import wallet_of


class FollowedWallets:
    """Follows wallets through the events of their owner, never through a second look.

    A look answers with what is there by then: two changes would come as one, or the same balance
    twice. An event says what its own entry left behind.
    """

    def __init__(self, *, books: Books, assets: Assets, events: EventStreams, clock: Clock) -> None:
        self._books = books
        self._assets = assets
        self._events = events
        self._clock = clock

    async def follow(
        self, owner: UserId, asset: str | None
    ) -> AsyncGenerator[Wallet, None] | UnknownAsset | UserError:
        """The owner's wallets, or the one of ``asset``: each at once, then at every change.

        Raises Unavailable, TimedOut before the first value only.
        """
        if asset is not None and await self._assets.asset(asset) is None:
            return UnknownAsset(asset)
        wallets = _Wallets(owner, None if asset is None else AssetCode(asset))
        stream = stream_of_user(owner)
        # A balance and its event are committed together: what is read between two looks at the
        # stream is never older than the first and never newer than the second. The events between
        # the two are applied before anything is shown; what was already in a balance changes
        # nothing, because an event holds the balance itself.
        before = await self._events.newest(stream)
        balances = await self._books.balances([owner])
        after = await self._events.newest(stream)
        events = await self._events.follow(stream, after=event_cursor(stream, before))
        if not isinstance(events, AsyncGenerator):
            return events
        now = self._clock.now()
        for each in balances.get(owner, ()):
            wallets.put(wallet_of(each, now))
        if wallets.only is not None:
            wallets.put(wallets.get(wallets.only, now))
        return _changes(events, wallets, unseen=after - before)


@dataclass
class _Wallets:
    """Of one owner: those that are followed."""

    owner: UserId
    only: AssetCode | None
    """Nothing: all of them."""
    known: dict[AssetCode, Wallet] = field(default_factory=dict)

    def put(self, wallet: Wallet) -> None:
        if self.only in (None, wallet.asset):
            self.known[wallet.asset] = wallet

    def get(self, asset: AssetCode, now: datetime) -> Wallet:
        nothing = Wallet(self.owner, asset, Decimal(0), Decimal(0), now)
        return self.known.get(asset, nothing)

    def changed_by(self, event: Event) -> Wallet | None:
        """The wallet that ``event`` is about, as it left it; nothing when nobody follows it."""
        if not is_of_wallet(event):
            return None
        before = self.get(AssetCode(str(event.body["asset"])), event.recorded_at)
        self.put(wallet_after(event, before))
        return self.known.get(before.asset)


async def _changes(
    events: AsyncGenerator[Event, None], wallets: _Wallets, *, unseen: int
) -> AsyncGenerator[Wallet, None]:
    """Everything that is known once ``unseen`` events were applied, then each change."""
    async with aclosing(events):
        if not unseen:
            for wallet in _in_order(wallets):
                yield wallet
        async for event in events:
            changed = wallets.changed_by(event)
            unseen -= 1  # numbers have no gaps
            if unseen == 0:
                for wallet in _in_order(wallets):
                    yield wallet
            elif unseen < 0 and changed is not None:
                yield changed


def _in_order(wallets: _Wallets) -> list[Wallet]:
    return [wallets.known[asset] for asset in sorted(wallets.known)]
