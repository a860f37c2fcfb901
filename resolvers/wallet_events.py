"""What happens to the caller's wallets: each kind of event, and wallets followed live."""

from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Annotated, cast

import strawberry
from strawberry import Parent

from domain.events import ResyncRequired
from domain.kernel.errors import BadInput
from domain.kernel.events import Event
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import Wallet
from resolvers.context import Info
from resolvers.wallets import owner_of

Followed = AsyncGenerator[Wallet, None] | UnknownAsset | BadInput | ResyncRequired


async def balance_updated(
    info: Info,
    asset: Annotated[
        str | None, strawberry.argument(description="One asset's code; all wallets by default.")
    ] = None,
) -> AsyncGenerator[Wallet, None] | UnknownAsset | BadInput | ResyncRequired:
    found = await info.context.wallets.followed.follow(owner_of(info), asset)
    # To wallets the refusals of event streams are any user errors: they know no other domain.
    return cast("Followed", found)


async def asset_of_event(event: Parent[Event]) -> str:
    return str(event.body["asset"])


async def available_change(event: Parent[Event]) -> Decimal:
    return Decimal(str(event.body.get("availableChange", "0")))


async def held_change(event: Parent[Event]) -> Decimal:
    return Decimal(str(event.body.get("heldChange", "0")))


async def available_after(event: Parent[Event]) -> Decimal | None:
    return _amount(event.body.get("available"))


async def held_after(event: Parent[Event]) -> Decimal | None:
    return _amount(event.body.get("held"))


def _amount(text: object) -> Decimal | None:
    return None if text is None else Decimal(str(text))
