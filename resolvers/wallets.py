"""Fields about wallets. A viewer's own come from the context; a wallet is its owner's."""

from collections.abc import Sequence
from typing import Annotated, cast

import strawberry
from strawberry import Parent

from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.kernel.page import DEFAULT_PAGE_SIZE, Page
from domain.wallets import PageAsked, PreviewWish, Transfer, TransferPreview, TransferWish
from domain.wallets.errors import UnknownAsset
from domain.wallets.model import (
    Asset,
    Explanation,
    Hold,
    Recipient,
    Transaction,
    TransferLimit,
    Wallet,
)
from domain.wallets.ports import TransactionFilter
from domain.wallets.transfers import TransferRefusal
from resolvers.context import Info
from resolvers.market import After, First

AssetArgument = Annotated[str, strawberry.argument(description="Its code, such as `USDT`.")]
FilterArgument = Annotated[
    TransactionFilter | None, strawberry.argument(description="Which of them; all by default.")
]


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


async def transactions(
    info: Info,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
    filter: FilterArgument = None,
) -> Page[Transaction] | BadInput:
    query = (filter or TransactionFilter()).of(owner_of(info))
    return await info.context.loaders.wallets.page.load(PageAsked(query, first, after))


async def transfer_limits(
    info: Info, asset: AssetArgument
) -> Sequence[TransferLimit] | UnknownAsset:
    return await info.context.wallets.previews.limits(owner_of(info), asset)


async def asset_of_wallet(wallet: Parent[Wallet], info: Info) -> Asset | UnknownAsset:
    return await info.context.wallets.assets.one(wallet.asset)


async def transactions_of_wallet(
    wallet: Parent[Wallet],
    info: Info,
    first: First = DEFAULT_PAGE_SIZE,
    after: After = None,
    filter: FilterArgument = None,
) -> Page[Transaction] | BadInput:
    if filter is not None and filter.asset not in (None, wallet.asset):
        return BadInput("filter", f"this wallet holds {wallet.asset} alone; leave asset out.")
    query = (filter or TransactionFilter()).of(wallet.owner, wallet.asset)
    return await info.context.loaders.wallets.page.load(PageAsked(query, first, after))


async def explanation_of_wallet(wallet: Parent[Wallet], info: Info) -> Explanation:
    return await info.context.loaders.wallets.explanation.load((wallet.owner, wallet.asset))


async def counterparty_of_transaction(
    transaction: Parent[Transaction], info: Info
) -> Recipient | None:
    other = transaction.counterparty
    return None if other is None else await info.context.loaders.wallets.recipient.load(other)


async def hold_of_transaction(transaction: Parent[Transaction], info: Info) -> Hold | None:
    hold_id = transaction.hold_id
    return None if hold_id is None else await info.context.loaders.wallets.hold.load(hold_id)


async def recipient_of_transfer(transfer: Parent[Transfer], info: Info) -> Recipient | None:
    return await info.context.loaders.wallets.recipient.load(transfer.recipient)


async def wallet_of_transfer(
    transfer: Parent[Transfer], info: Info
) -> Wallet | UnknownAsset | None:
    return await info.context.wallets.statements.wallet(transfer.sender, transfer.asset)


async def preview_transfer(info: Info, command: PreviewWish) -> TransferPreview:
    return await info.context.wallets.previews.transfer(owner_of(info), command)


async def transfer_funds(info: Info, command: TransferWish) -> Transfer | TransferRefusal:
    return await info.context.wallets.transfers.transfer(command.by(owner_of(info)))


def owner_of(info: Info) -> UserId:
    """The caller: whoever gets here signed in, or there is no viewer to be a field of."""
    return cast("UserId", info.context.viewer.user_id)
