"""The ledger on PostgreSQL, invariant by invariant; the numbers are those of the house's rules."""

import asyncio
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from domain.kernel.ids import UserId, new_uuid7
from domain.wallets import Transfer, ledger
from domain.wallets.errors import (
    BadAmount,
    InsufficientFunds,
    OwnWallet,
    UnknownAsset,
    UnknownRecipient,
    WalletFrozen,
)
from domain.wallets.model import AccountKind, EntryKind, JournalEntry, Posted, available, house
from domain.wallets.ports import Finding, TransactionQuery
from domain.wallets.recording import record
from tests.users.people import NOW
from tests.wallets.conftest import BTC, USDT, Bank
from tests.wallets.proving import only_appended_to
from tests.world import DatabaseUrls


async def sound(bank: Bank) -> None:
    """INV-08 and the others, from the journal alone."""
    assert await bank.verification.findings() == []


async def post(bank: Bank, entry: JournalEntry) -> Posted:
    async with bank.works.begin() as work:
        posted = await record(work, entry)
    assert isinstance(posted, Posted), posted
    return posted


async def test_a_transfer_moves_all_of_it_and_tells_both(bank: Bank):
    ann, bob = await bank.person("100"), await bank.person("1")

    sent = await bank.transfers.transfer(bank.wish(ann, bob, "40.25"))

    assert isinstance(sent, Transfer)
    assert sent.available == Decimal("59.75")
    assert await bank.has(ann) == "59.75 + 0"
    assert await bank.has(bob) == "41.25 + 0"
    last = (await bank.told(ann))[-1]
    assert (last.type, last.body) == (
        "wallet.transfer_sent",
        {
            "entryId": str(sent.entry_id),
            "asset": "USDT",
            "availableChange": "-40.25",
            "available": "59.75",
            "heldChange": "0",
            "held": None,
        },
    )
    received = (await bank.told(bob))[-1]
    assert (received.type, received.body["available"]) == ("wallet.transfer_received", "41.25")
    await sound(bank)


async def test_what_is_wrong_at_first_sight_is_told(bank: Bank):
    ann, bob = await bank.person("1"), await bank.person()
    nobody = await bank.person()
    bank.recipients.unknown.add(nobody)

    async def answer(amount: str = "1", to: UserId = bob, asset: str = "USDT") -> object:
        wish = bank.wish(ann, to, amount)
        return await bank.transfers.transfer(
            type(wish)(ann, to, asset, wish.amount, wish.idempotency_key)
        )

    assert await answer(asset="NOPE") == UnknownAsset("NOPE")
    for amount in ("0", "-1", "0.0000001", "NaN", "1E+20"):
        assert await answer(amount) == BadAmount(USDT, 6)
    assert await answer(to=ann) == OwnWallet()
    assert await answer(to=nobody) == UnknownRecipient()
    assert await answer("1.000001") == InsufficientFunds(USDT, Decimal(1))
    assert len(await bank.told(ann)) == 1
    assert await bank.told(bob) == []
    await sound(bank)


async def test_inv_01_an_entry_that_does_not_balance_is_refused_twice(
    bank: Bank, database_urls: DatabaseUrls
):
    ann = await bank.person()
    lines = [
        (available(ann, USDT), Decimal(5)),
        (house(AccountKind.FAUCET, USDT), Decimal(-4)),
    ]
    with pytest.raises(ledger.Unbalanced, match="USDT does not sum to zero"):
        ledger.entry(EntryKind.DEPOSIT, lines, at=NOW)

    good = ledger.entry(EntryKind.DEPOSIT, [lines[0], (lines[1][0], Decimal(-5))], at=NOW)
    forged = JournalEntry(good.id, good.kind, good.postings[:1], NOW)
    with pytest.raises(asyncpg.CheckViolationError, match="does not sum to zero"):
        await post(bank, forged)

    assert await bank.has(ann) == "0 + 0"
    await sound(bank)


async def test_inv_02_the_journal_is_only_appended_to(bank: Bank, database_urls: DatabaseUrls):
    await bank.person("5")
    await bank.sealing.seal(now=NOW)
    app = await asyncpg.connect(database_urls.app)
    owner = await asyncpg.connect(database_urls.owner)
    try:
        columns = {"entry": "kind", "posting": "amount", "chain_link": "link"}
        await only_appended_to(app, owner, columns)
        for statement in (
            "INSERT INTO wallets.posting VALUES (1, 9, gen_random_uuid(), NULL, 'USDT', 1)",
            "UPDATE wallets.balance SET amount = amount + 1",
            "DELETE FROM wallets.hold",
            "UPDATE wallets.asset SET scale = 18",
            "SELECT * FROM idempotency.command",
            "TRUNCATE wallets.posting",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()
        await owner.close()


@pytest.mark.parametrize("sealed", [False, True])
@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (
            "UPDATE wallets.posting SET amount = amount * 2 WHERE owner IS NULL",
            {"unbalanced_entry"},
        ),
        (
            "UPDATE wallets.posting SET amount = amount * 2",
            {"wrong_balance", "wrong_running_balance"},
        ),
        (
            "UPDATE wallets.posting SET seq = seq + 1 WHERE seq = 2",
            {"gap_in_sequence"},
        ),
        (
            "DELETE FROM wallets.posting WHERE seq IS NULL",
            {"unbalanced_entry"},
        ),
    ],
)
async def test_inv_03_a_changed_posting_is_found(
    bank: Bank, database_urls: DatabaseUrls, change: str, rules: set[str], *, sealed: bool
):
    ann = await bank.person("5")
    await bank.give(ann, "7")
    if sealed:
        assert await bank.sealing.seal(now=NOW) == 2
    await sound(bank)

    await tamper(database_urls, change)

    found = {finding.rule for finding in await bank.verification.findings()}
    assert found == rules | ({"wrong_digest"} if sealed else set())


async def tamper(urls: DatabaseUrls, change: str) -> None:
    """What only who owns the server can do: change the journal behind the trigger's back."""
    owner = await asyncpg.connect(urls.owner)
    try:
        async with owner.transaction():
            for table in ("entry", "posting", "chain_link"):
                await owner.execute(f"ALTER TABLE wallets.{table} DISABLE TRIGGER appended_to_only")
            await owner.execute(change)
            for table in ("entry", "posting", "chain_link"):
                await owner.execute(f"ALTER TABLE wallets.{table} ENABLE TRIGGER appended_to_only")
    finally:
        await owner.close()


async def test_inv_03_a_change_that_adds_up_breaks_the_chain(
    bank: Bank, database_urls: DatabaseUrls
):
    await bank.person("5")
    assert await bank.sealing.seal(now=NOW) == 1
    await bank.person("6")
    assert await bank.sealing.seal(now=NOW, limit=1) == 1
    assert await bank.sealing.seal(now=NOW) == 0
    await sound(bank)

    await tamper(
        database_urls,
        "UPDATE wallets.entry SET source = 'another' WHERE source LIKE '%'"
        " AND position = (SELECT min(position) FROM wallets.entry)",
    )
    (finding,) = await bank.verification.findings()
    assert (finding.rule, finding.details) == ("wrong_digest", "link 1")

    await tamper(
        database_urls,
        "UPDATE wallets.chain_link SET digest = wallets.digest_of(position)",
    )
    assert await bank.verification.findings() == [
        Finding("broken_chain", "1", finding_place(finding))
    ]
    await tamper(database_urls, "DELETE FROM wallets.chain_link WHERE number = 1")
    found = {each.rule for each in await bank.verification.findings()}
    assert found == {"broken_chain", "outside_of_the_chain"}


def finding_place(finding: Finding) -> str:
    return f"position {finding.subject}"


async def test_inv_04_and_05_the_same_source_comes_once_64_at_a_time(bank: Bank):
    ann = await bank.person()
    key = uuid4()

    posted = await asyncio.gather(
        *(bank.deposits.faucet(ann, USDT, Decimal(3), key=key) for _ in range(64))
    )

    done = [each for each in posted if isinstance(each, Posted)]
    assert len(done) == 64
    assert [each.repeated for each in done].count(False) == 1
    assert len({each.entry_id for each in done}) == 1
    assert await bank.has(ann) == "3 + 0"
    assert len(await bank.told(ann)) == 1
    await sound(bank)


async def test_inv_04_an_entry_posted_again_changes_nothing(bank: Bank):
    ann = await bank.person("10")
    entry = ledger.fee(ann, USDT, Decimal(6), at=NOW)

    first, again = await post(bank, entry), None
    await bank.give(ann, "6")
    again = await post(bank, entry)

    assert not first.repeated
    assert again == Posted(entry.id, first.position, (), repeated=True)
    assert await bank.has(ann) == "10 + 0"
    await sound(bank)


async def test_inv_06_a_hot_account_loses_no_credit(bank: Bank):
    ann = await bank.person()

    await asyncio.gather(*(bank.give(ann, "0.000001") for _ in range(200)))

    assert await bank.has(ann) == "0.0002 + 0"
    assert [e.sequence for e in await bank.told(ann)] == list(range(1, 201))
    await sound(bank)


async def test_inv_09_a_drain_stops_at_zero(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()

    answers = await asyncio.gather(
        *(bank.transfers.transfer(bank.wish(ann, bob, "1")) for _ in range(32))
    )

    assert sum(isinstance(each, Transfer) for each in answers) == 10
    refused = [each for each in answers if not isinstance(each, Transfer)]
    assert refused == [InsufficientFunds(USDT, Decimal(0))] * 22
    assert await bank.has(ann) == "0 + 0"
    assert await bank.has(bob) == "10 + 0"
    await sound(bank)


async def test_inv_10_no_digit_is_lost(bank: Bank):
    most = Decimal("99999999999999999999.999999999999999999")
    ann, bob = await bank.person(), await bank.person()
    origin = house(AccountKind.FAUCET, BTC)
    await post(bank, ledger.deposit(ann, BTC, most, origin=origin, source="most", at=NOW))
    entry = ledger.transfer(ann, bob, BTC, Decimal("0.000000000000000001"), at=NOW)

    await post(bank, entry)

    assert await bank.has(ann, BTC) == "99999999999999999999.999999999999999998 + 0"
    assert await bank.has(bob, BTC) == "0.000000000000000001 + 0"
    await sound(bank)


async def test_inv_11_no_asset_pays_for_another(bank: Bank):
    ann = await bank.person("10")
    lines = [(available(ann, USDT), Decimal(-1)), (available(ann, BTC), Decimal(1))]

    with pytest.raises(ledger.Unbalanced):
        ledger.entry(EntryKind.TRANSFER, lines, at=NOW)


async def test_inv_12_a_reversal_compensates_once(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()
    original = ledger.transfer(ann, bob, USDT, Decimal(4), at=NOW, fee=Decimal("0.5"))
    await post(bank, original)
    assert await bank.has(ann) == "5.5 + 0"
    async with bank.works.begin() as work:
        assert await work.ledger.entry(original.id) == original

    await post(bank, ledger.reversal(original, at=NOW))
    again = await post(bank, ledger.reversal(original, at=NOW))

    assert again.repeated
    assert await bank.has(ann) == "10 + 0"
    assert await bank.has(bob) == "0 + 0"
    seen = await bank.books.transactions(TransactionQuery(bob), first=10, before=None)
    assert [each.kind for each in seen] == [EntryKind.REVERSAL, EntryKind.TRANSFER]
    await sound(bank)


async def test_inv_14_numbers_have_no_gap_even_after_refusals(
    bank: Bank, database_urls: DatabaseUrls
):
    ann, bob = await bank.person("2"), await bank.person()
    for amount in ("1", "5", "0.5", "9", "0.5"):
        await bank.transfers.transfer(bank.wish(ann, bob, amount))

    owner = await asyncpg.connect(database_urls.owner)
    rows = await owner.fetch(
        "SELECT seq, balance FROM wallets.posting WHERE account_id = $1 ORDER BY seq",
        available(ann, USDT).id,
    )
    await owner.close()

    assert [tuple(row) for row in rows] == [
        (1, Decimal(2)),
        (2, Decimal(1)),
        (3, Decimal("0.5")),
        (4, Decimal(0)),
    ]


async def test_a_posting_finer_than_its_asset_is_refused_by_the_database(bank: Bank):
    ann = await bank.person("1")
    with pytest.raises(asyncpg.CheckViolationError, match="finer than its asset"):
        await post(bank, ledger.fee(ann, USDT, Decimal("0.0000001"), at=NOW))

    await sound(bank)


async def test_a_frozen_wallet_takes_and_does_not_give(bank: Bank):
    ann, bob = await bank.person("5"), await bank.person("5")
    async with bank.works.begin() as work:
        await work.ledger.freeze(available(ann, USDT), frozen=True)

    refused = await bank.transfers.transfer(bank.wish(ann, bob, "1"))
    taken = await bank.transfers.transfer(bank.wish(bob, ann, "1"))

    assert refused == WalletFrozen(USDT)
    assert isinstance(taken, Transfer)
    async with bank.works.begin() as work:
        await work.ledger.freeze(available(ann, USDT), frozen=False)
    assert isinstance(await bank.transfers.transfer(bank.wish(ann, bob, "1")), Transfer)
    await sound(bank)


async def test_pages_of_transactions_are_whole(bank: Bank):
    ann, bob = await bank.person("10"), await bank.person()
    await bank.give(ann, "1", BTC)
    for _ in range(4):
        await bank.transfers.transfer(bank.wish(ann, bob, "1"))
        bank.clock.move(days=1)
    query = TransactionQuery(ann)

    pages, after = [], None
    while True:
        page = await bank.statements.transactions(query, first=4, after=after)
        assert not isinstance(page, Exception)
        pages.append(page)
        after = page.page_info.end_cursor  # type: ignore[union-attr]
        if not page.page_info.has_next_page:  # type: ignore[union-attr]
            break
        await bank.transfers.transfer(bank.wish(ann, bob, "0.1"))  # newer: shifts nothing

    seen = [edge.node for page in pages for edge in page.edges]  # type: ignore[union-attr]
    assert [each.available_after for each in seen] == [
        Decimal(6), Decimal(7), Decimal(8), Decimal(9), Decimal(1), Decimal(10),
    ]  # fmt: skip
    assert [each.asset for each in seen] == ["USDT"] * 4 + ["BTC", "USDT"]
    narrow = TransactionQuery(
        ann, USDT, frozenset({EntryKind.TRANSFER}), since=NOW, until=bank.clock.now()
    )
    found = await bank.books.transactions(narrow, first=100, before=None)
    assert {each.kind for each in found} == {EntryKind.TRANSFER}
    other = UserId(new_uuid7())
    assert await bank.books.transactions(TransactionQuery(other), first=9, before=None) == []
