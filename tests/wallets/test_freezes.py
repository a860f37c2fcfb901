"""Frozen wallets: nothing leaves, what comes is taken, its owner is told once."""

import asyncio
from decimal import Decimal

from domain.kernel.errors import BadInput, NotFound
from domain.kernel.ids import UserId, new_uuid7
from domain.users.model import ActivityResult
from domain.users.own_log import log_of_owner
from domain.wallets.desk.errors import OwnMoney
from domain.wallets.desk.freezes import AboutWallet
from domain.wallets.desk.model import LedgerAccount
from domain.wallets.errors import UnknownAsset, WalletFrozen
from domain.wallets.model import Hold, JournalEntry
from schema._ids import encode_id
from tests.users.conftest import book
from tests.wallets.conftest import BTC, USDT
from tests.wallets.office import WHY, Office, office

__all__ = ["book", "office"]


async def test_nothing_leaves_a_frozen_wallet_and_its_owner_is_told(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob", amount="10")
    await office.give(ann, "1", BTC)
    hold = await office.hold(ann, "3")
    compliance = await office.treasurer()

    frozen = await office.freeze(compliance, ann)

    assert isinstance(frozen, LedgerAccount)
    assert (frozen.owner, frozen.asset, frozen.frozen) == (ann, USDT, True)
    assert await office.send(ann, bob, "1") == WalletFrozen(USDT)
    reserved = await office.holds.reserve(ann, USDT, Decimal(1), reason="order")
    assert reserved == WalletFrozen(USDT)
    assert isinstance(await office.send(bob, ann, "2"), JournalEntry)
    assert isinstance(await office.holds.void(hold.id), Hold)
    assert isinstance(await office.holds.reserve(ann, BTC, Decimal(1), reason="order"), Hold)
    event = next(e for e in await office.book.told(ann) if e.type == "wallet.frozen")
    assert event.body == {"asset": "USDT"}
    assert "wallet.frozen" not in await office.told(bob)
    await office.sound()


async def test_its_owner_finds_a_message(office: Office):
    ann, compliance = await office.person(amount="10"), await office.treasurer()
    await office.freeze(compliance, ann)
    viewer = await office.book.arrive("uid-ann", email="uid-ann@example.org")

    await office.book.inbox_consumer.consume(await office.book.told(ann))

    page = await office.book.inbox.page(viewer, unread_only=True, first=9, after=None)
    assert not isinstance(page, BadInput)
    told = {edge.node.code: edge.node.values for edge in page.edges}
    assert told["WALLET_FROZEN"] == {"asset": "USDT"}


async def test_frozen_twice_is_frozen_and_told_once(office: Office):
    ann, compliance = await office.person(amount="10"), await office.treasurer()

    answers = await asyncio.gather(*(office.freeze(compliance, ann) for _ in range(8)))

    assert all(each == answers[0] for each in answers)
    assert await office.told(ann) == ["wallet.deposited", "wallet.frozen"]
    changed = [line.details["changed"] for line in await office.lines("wallet.frozen")]
    assert sorted(changed) == ["false"] * 7 + ["true"]


async def test_what_is_unfrozen_works_again(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    compliance = await office.treasurer()
    await office.freeze(compliance, ann)
    about = AboutWallet(ann, USDT, WHY)

    thawed = await office.ledger.freezes.unfreeze(compliance, about)
    again = await office.ledger.freezes.unfreeze(compliance, about)

    assert isinstance(thawed, LedgerAccount)
    assert not thawed.frozen
    assert again == thawed
    assert isinstance(await office.send(ann, bob, "1"), JournalEntry)
    assert await office.told(ann) == [
        "wallet.deposited", "wallet.frozen", "wallet.unfrozen", "wallet.transfer_sent",
    ]  # fmt: skip
    line = (await office.lines("wallet.unfrozen"))[0]
    assert (line.subject_id, line.actor_id) == (ann, compliance.user_id)
    assert line.details["reason"] == WHY


async def test_what_cannot_be_frozen(office: Office):
    ann, staff = await office.person(), await office.treasurer()
    mine = UserId(staff.user_id)  # type: ignore[arg-type]
    await office.give(mine, "5")

    async def answer(owner: UserId, asset: str = USDT, reason: str = WHY) -> object:
        return await office.ledger.freezes.freeze(staff, AboutWallet(owner, asset, reason))

    assert await answer(ann) == NotFound("wallet", "userId")
    assert await answer(UserId(new_uuid7())) == NotFound("wallet", "userId")
    assert await answer(ann, "NOPE") == UnknownAsset("NOPE")
    assert isinstance(await answer(ann, reason=" "), BadInput)
    assert await office.lines("wallet.frozen") == []
    assert isinstance(await answer(mine), LedgerAccount)
    own = await office.ledger.freezes.unfreeze(staff, AboutWallet(mine, USDT, WHY))
    assert own == OwnMoney()
    (line,) = await office.lines("wallet.unfrozen")
    assert (line.result, line.details["code"]) == (ActivityResult.DENIED, "OWN_MONEY")


async def test_an_owner_reads_what_was_done_and_not_who_looked(office: Office):
    ann, staff = await office.person(amount="10"), await office.treasurer()
    await office.propose(staff, ann, "5")
    await office.freeze(staff, ann)
    found = await office.data(
        "query ($id: ID!) { admin { ledger { accounts(filter: {userId: $id}) {"
        " edges { node { id } } } } } }",
        staff,
        id=encode_id("User", ann),
    )
    assert found["admin"]["ledger"]["accounts"]["edges"]

    lines = await office.book.accounts.activity(log_of_owner(ann), first=99, before=None)

    assert {line.action for line in lines} == {"session.created", "wallet.frozen"}
