"""Fields about wallets. A viewer's own come from the context; a wallet is its owner's."""

from collections.abc import Sequence
from typing import Annotated, cast

import strawberry

from domain.kernel.ids import UserId
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import Asset, Wallet
from resolvers.context import Info

AssetArgument = Annotated[str, strawberry.argument(description="Its code, such as `USDT`.")]


async def assets(info: Info) -> Sequence[Asset]:
    return await info.context.wallets.assets.all()


async def asset(
    info: Info, code: Annotated[str, strawberry.argument(description="Such as `USDT`.")]
) -> Asset | UnknownAsset:
    return await info.context.wallets.assets.one(code)


async def wallets(info: Info) -> Sequence[Wallet]:
    return await info.context.wallets.statements.wallets(owner_of(info))


async def wallet(info: Info, asset: AssetArgument) -> Wallet | UnknownAsset | None:
    return await info.context.wallets.statements.wallet(owner_of(info), asset)


def owner_of(info: Info) -> UserId:
    """The caller: whoever gets here signed in, or there is no viewer to be a field of."""
    return cast("UserId", info.context.viewer.user_id)
