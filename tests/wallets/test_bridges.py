"""What users and wallets answer each other."""

from decimal import Decimal

from adapters.bridges.users import SandboxErasureHolds
from adapters.bridges.wallets import KnownRecipients
from domain.kernel.ids import UserId, new_uuid7
from domain.wallets.model import Hold
from tests.users.conftest import Book, book
from tests.wallets.conftest import USDT, Bank

__all__ = ["book"]


async def test_who_has_an_account_can_be_given_money(book: Book):  # the fixture
    recipients = KnownRecipients(book.accounts)
    ann = (await book.arrive()).user_id
    assert ann is not None

    assert await recipients.can_receive(ann)
    assert not await recipients.can_receive(UserId(new_uuid7()))
    async with book.works.begin() as work:
        user = await work.users.locked(ann)
        assert user is not None
    viewer = await book.arrive()
    await book.account.freeze(viewer)
    # Whoever sends must not learn of it.
    assert await recipients.can_receive(ann)


async def test_money_holds_an_account_back(bank: Bank):
    holds = SandboxErasureHolds(bank.books)
    ann, bob = await bank.person("5"), await bank.person()

    assert await holds.reasons(ann) == ("BALANCES",)
    assert await holds.reasons(bob) == ()
    hold = await bank.holds.reserve(ann, USDT, Decimal(5), reason="order")
    assert isinstance(hold, Hold)
    assert await holds.reasons(ann) == ("BALANCES",)
    await bank.holds.void(hold.id)
    await bank.transfers.transfer(bank.wish(ann, bob, "5"))
    assert await holds.reasons(ann) == ()
