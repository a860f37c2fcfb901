"""The wallets domain on a real PostgreSQL; only who may receive money is answered by a double."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from adapters.postgres import Database, PostgresEventLog
from adapters.postgres.wallets import (
    PostgresAssets,
    PostgresBooks,
    PostgresSealing,
    PostgresVerification,
    PostgresWorks,
)
from domain.kernel.cursor import CursorSigner
from domain.kernel.events import Event, stream_of_user
from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.money import plain
from domain.wallets import Deposits, Holds, Statements, TransferFunds, Transfers
from domain.wallets.limits import UNLIMITED, EqualLimits
from domain.wallets.model import Asset, Balance, Network, Posted, Recipient
from tests.users.doubles import SetClock

USDT, BTC = AssetCode("USDT"), AssetCode("BTC")
TRON = Network("TRX", "TRON", 6, 20, Decimal("0.5"))
ASSETS = (Asset(USDT, "Tether", 6, (TRON,)), Asset(BTC, "Bitcoin", 18))


@dataclass
class Everybody:
    """Who can receive money: all but these."""

    unknown: set[UserId] = field(default_factory=set)
    addresses: dict[str, UserId] = field(default_factory=dict)

    async def can_receive(self, user_id: UserId) -> bool:
        return user_id not in self.unknown

    async def of_email(self, email: str) -> UserId | None:
        return self.addresses.get(email)

    def mark(self, email: str) -> str:
        return f"mark of {email}"

    async def shown(self, user_ids: Sequence[UserId]) -> Mapping[UserId, Recipient]:
        return {each: Recipient(each, "a***@e***.org", "A.") for each in user_ids}


@dataclass
class Patience:
    """How many addresses anybody may ask about."""

    most: int = 100
    asked: set[tuple[UserId, str]] = field(default_factory=set)

    async def wait_seconds(self, asker: UserId, mark: str) -> int | None:
        known = (asker, mark) in self.asked
        if not known and len(self.asked) >= self.most:
            return 60
        self.asked.add((asker, mark))
        return None


@dataclass
class Bank:
    """The domain, put together."""

    database: Database
    clock: SetClock = field(default_factory=SetClock)
    recipients: Everybody = field(default_factory=Everybody)
    look_ups: Patience = field(default_factory=Patience)
    limits: EqualLimits = UNLIMITED
    patience_seconds: float = 2.5

    def __post_init__(self) -> None:
        clock = self.clock
        self.log = PostgresEventLog(self.database)
        self.works = PostgresWorks(
            self.database, clock=clock, patience_seconds=self.patience_seconds
        )
        self.assets = PostgresAssets(self.database, clock=clock)
        self.books = PostgresBooks(self.database)
        self.transfers = Transfers(
            works=self.works,
            assets=self.assets,
            recipients=self.recipients,
            look_ups=self.look_ups,
            limits=self.limits,
            clock=clock,
        )
        self.deposits = Deposits(works=self.works, assets=self.assets, clock=clock)
        self.holds = Holds(works=self.works, assets=self.assets, books=self.books, clock=clock)
        self.statements = Statements(
            books=self.books, assets=self.assets, cursors=CursorSigner(b"c" * 32), clock=clock
        )
        self.verification = PostgresVerification(self.database)
        self.sealing = PostgresSealing(self.database)

    async def person(self, amount: str = "0", asset: AssetCode = USDT) -> UserId:
        """Somebody new, with so much money."""
        somebody = UserId(new_uuid7())
        if Decimal(amount):
            await self.give(somebody, amount, asset)
        return somebody

    async def give(self, owner: UserId, amount: str, asset: AssetCode = USDT) -> Posted:
        posted = await self.deposits.faucet(owner, asset, Decimal(amount), key=uuid4())
        assert isinstance(posted, Posted), posted
        return posted

    def wish(
        self, sender: UserId, recipient: UserId | str, amount: str, key: UUID | None = None
    ) -> TransferFunds:
        return TransferFunds(sender, recipient, USDT, Decimal(amount), key or uuid4())

    async def balance(self, owner: UserId, asset: AssetCode = USDT) -> Balance:
        found = (await self.statements.balances([owner]))[owner]
        none = Balance(owner, asset, Decimal(0), Decimal(0))
        return next((each for each in found if each.asset == asset), none)

    async def has(self, owner: UserId, asset: AssetCode = USDT) -> str:
        """What is available and what is held: ``9.5 + 0.5``."""
        balance = await self.balance(owner, asset)
        return f"{plain(balance.available)} + {plain(balance.held)}"

    async def told(self, owner: UserId) -> list[Event]:
        return list(await self.log.after(stream_of_user(owner), 0, limit=10_000))


@pytest.fixture
async def bank(database: Database) -> Bank:
    bank = Bank(database)
    for asset in ASSETS:
        await bank.assets.add(asset)
    return bank
