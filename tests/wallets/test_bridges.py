"""What users and wallets answer each other."""

from decimal import Decimal

from adapters.bridges.users import SandboxErasureHolds
from adapters.bridges.wallets import KnownRecipients
from adapters.vault import BlindIndex
from domain.kernel.ids import UserId, new_uuid7
from domain.wallets.model import Hold, Recipient
from tests.users.conftest import Book, book
from tests.wallets.conftest import USDT, Bank

__all__ = ["book"]

INDEX = BlindIndex(b"i" * 32)


async def test_who_has_an_account_can_be_given_money(book: Book):  # the fixture
    recipients = KnownRecipients(book.accounts, INDEX)
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


async def test_an_address_is_its_only_owners_once_it_is_verified(book: Book):
    recipients = KnownRecipients(book.accounts, INDEX)
    ann = (await book.arrive()).user_id
    await book.arrive("uid-liar", email="ann@example.org", email_verified=False)

    assert await recipients.of_email(" Ann@Example.org ") == ann
    assert await recipients.of_email("nobody@example.org") is None
    await book.arrive("uid-twin", email="ann@example.org")
    # Of two, nobody can say which one was meant.
    assert await recipients.of_email("ann@example.org") is None


async def test_an_unverified_address_is_nobodys(book: Book):
    recipients = KnownRecipients(book.accounts, INDEX)
    await book.arrive(email_verified=False)

    assert await recipients.of_email("ann@example.org") is None


async def test_the_other_one_is_shown_masked(book: Book):
    recipients = KnownRecipients(book.accounts, INDEX)
    ann = (await book.arrive(display_name="Ann Lee")).user_id
    assert ann is not None

    shown = await recipients.shown([ann, UserId(new_uuid7())])

    assert shown == {ann: Recipient(ann, "a***@e***.org", "A. L.")}


def test_a_mark_tells_nothing_of_the_address():
    recipients = KnownRecipients(None, INDEX)  # type: ignore[arg-type]  # nobody is asked

    assert recipients.mark("Ann@example.org") == recipients.mark("ann@example.org")
    assert "ann" not in recipients.mark("ann@example.org")
    other = KnownRecipients(None, BlindIndex(b"o" * 32))  # type: ignore[arg-type]
    assert other.mark("ann@example.org") != recipients.mark("ann@example.org")


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
