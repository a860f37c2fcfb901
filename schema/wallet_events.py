"""What happens to the caller's wallets, as it is told: one type for each kind of event."""

from decimal import Decimal

import strawberry

from domain.kernel.policy import Audience, Delivery, FieldPolicy
from resolvers import wallet_events as events
from schema._ids import id_in_body
from schema._view import Stream, resolved_by, streamed_by
from schema.account_events import AccountEvent, event_of
from schema.wallets import Wallet


@strawberry.interface(
    description="Something that happened to one of the caller's wallets: what it changed, and what "
    "it left."
)
class WalletEvent(AccountEvent):
    asset: str = resolved_by(events.asset_of_event, description="Which wallet.")
    entry_id: strawberry.ID | None = id_in_body(
        "Entry", "entryId", description="The entry of its transaction; null when no money moved."
    )
    available_change: Decimal = resolved_by(
        events.available_change, description="Below zero for what went away."
    )
    held_change: Decimal = resolved_by(
        events.held_change, description="Below zero for what is held no more."
    )
    available: Decimal | None = resolved_by(
        events.available_after,
        description="What could be disposed of right after it; null when that did not change.",
    )
    held: Decimal | None = resolved_by(
        events.held_after,
        description="What was held right after it; null when that did not change.",
    )


@event_of("wallet.deposited", "Money came in from outside.")
class WalletDepositedEvent(WalletEvent):
    pass


@event_of("wallet.transfer_sent", "Money was sent to somebody.")
class WalletTransferSentEvent(WalletEvent):
    pass


@event_of("wallet.transfer_received", "Somebody sent money.")
class WalletTransferReceivedEvent(WalletEvent):
    pass


@event_of("wallet.fee_charged", "A fee was taken.")
class WalletFeeChargedEvent(WalletEvent):
    pass


@event_of("wallet.adjusted", "Two of staff corrected the balance.")
class WalletAdjustedEvent(WalletEvent):
    pass


@event_of("wallet.reversed", "Something that was booked was taken back.")
class WalletReversedEvent(WalletEvent):
    pass


@event_of("wallet.hold_placed", "Money was reserved for something under way.")
class WalletHoldPlacedEvent(WalletEvent):
    hold_id: strawberry.ID = id_in_body("Hold", "holdId", description="Of the hold.")


@event_of("wallet.hold_posted", "Reserved money was taken; what was left of it is free again.")
class WalletHoldPostedEvent(WalletEvent):
    hold_id: strawberry.ID = id_in_body("Hold", "holdId", description="Of the hold.")


@event_of("wallet.hold_voided", "Reserved money is free again.")
class WalletHoldVoidedEvent(WalletEvent):
    hold_id: strawberry.ID = id_in_body("Hold", "holdId", description="Of the hold.")


@event_of("wallet.hold_expired", "Reserved money is free again: nobody took it in time.")
class WalletHoldExpiredEvent(WalletEvent):
    hold_id: strawberry.ID = id_in_body("Hold", "holdId", description="Of the hold.")


@event_of("wallet.frozen", "Nothing leaves the wallet until staff unfreezes it.")
class WalletFrozenEvent(WalletEvent):
    pass


@event_of("wallet.unfrozen", "The wallet works again.")
class WalletUnfrozenEvent(WalletEvent):
    pass


WALLET_EVENTS = (
    WalletDepositedEvent,
    WalletTransferSentEvent,
    WalletTransferReceivedEvent,
    WalletFeeChargedEvent,
    WalletAdjustedEvent,
    WalletReversedEvent,
    WalletHoldPlacedEvent,
    WalletHoldPostedEvent,
    WalletHoldVoidedEvent,
    WalletHoldExpiredEvent,
    WalletFrozenEvent,
    WalletUnfrozenEvent,
)


@strawberry.type
class WalletSubscriptions:
    balance_updated: Stream[Wallet] = streamed_by(
        events.balance_updated,
        policy=FieldPolicy(Audience.SIGNED_IN, cost=10, delivery=Delivery.LOSSLESS),
        description="The caller's wallets, or the one of `asset`: each as it is now at once, then "
        "as it is after each change, in order and without leaving one out.",
    )
