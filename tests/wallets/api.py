"""The executable schema over real accounts and wallets, asked as clients ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from sqlalchemy import event

from adapters.bridges.wallets import KnownRecipients
from adapters.postgres import Database
from adapters.redis import RedisClient, RedisLookUps
from adapters.vault import BlindIndex
from domain.kernel.cursor import CursorSigner
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.viewer import Viewer
from domain.wallets.limits import UNLIMITED, EqualLimits
from resolvers.wallet_services import WalletServices
from tests.users.api import Api
from tests.users.conftest import Book
from tests.wallets.conftest import USDT, Bank


class WalletApi(Api):
    """What a client can do about money."""

    def __init__(
        self,
        book: Book,
        bank: Bank,
        redis: RedisClient,
        *,
        limits: EqualLimits = UNLIMITED,
        look_ups_per_day: int = 20,
    ) -> None:
        super().__init__(book)
        self.bank = bank
        self.services = replace(
            self.services,
            wallets=WalletServices.over(
                works=bank.works,
                books=bank.books,
                assets=bank.assets,
                recipients=KnownRecipients(book.accounts, BlindIndex(b"i" * 32)),
                look_ups=RedisLookUps(redis, per_day=look_ups_per_day),
                limits=limits,
                cursors=CursorSigner(b"c" * 32),
                clock=bank.clock,
            ),
        )

    async def person(self, name: str, amount: str = "0", **changes: Any) -> Viewer:
        """Somebody signed in as name@example.org, with so much USDT."""
        given = {"email": f"{name}@example.org", "display_name": name.title(), **changes}
        viewer = await self.book.arrive(f"uid-{name}", **given)
        if Decimal(amount):
            await self.bank.give(owner(viewer), amount)
        return viewer

    async def send(
        self, viewer: Viewer, to: str | dict[str, str], amount: str, /, **given: Any
    ) -> Any:
        """transferFunds: the success's transfer, or the user error."""
        selection = """transfer { entryId asset amount fee available
            recipient { email name } wallet { available } }"""
        answer = await self.change(
            viewer, "transferFunds", selection,
            **{
                "recipient": {"email": to} if isinstance(to, str) else to, "asset": "USDT",
                "amount": amount, "idempotencyKey": str(uuid4()), **given,
            },
        )  # fmt: skip
        return answer.get("transfer", answer)

    async def preview(
        self, viewer: Viewer, to: str | dict[str, str], amount: str, asset: str = "USDT"
    ) -> Any:
        """previewTransfer, with the codes of what stands against it."""
        query = """query ($input: PreviewTransferInput!) { previewTransfer(input: $input) {
            allowed asset amount fee availableAfter recipient { email name }
            obstacles { code path } } }"""
        recipient = {"email": to} if isinstance(to, str) else to
        given = {"recipient": recipient, "asset": asset, "amount": amount}
        shown = (await self.data(query, viewer, input=given))["previewTransfer"]
        return {**shown, "obstacles": [each["code"] for each in shown["obstacles"]]}

    async def has(self, viewer: Viewer, asset: AssetCode = USDT) -> str:
        return await self.bank.has(owner(viewer), asset)


def owner(viewer: Viewer) -> UserId:
    assert viewer.user_id is not None
    return viewer.user_id


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that reach the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = database._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
