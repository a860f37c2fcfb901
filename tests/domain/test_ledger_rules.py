"""Which entries there can be: pure rules, no database."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.money import total
from domain.wallets import ledger
from domain.wallets.errors import BadAmount, HoldTooSmall
from domain.wallets.model import (
    Account,
    AccountKind,
    Asset,
    EntryKind,
    Hold,
    HoldId,
    HoldState,
    JournalEntry,
    available,
    held,
    house,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
USDT = AssetCode("USDT")
ANN, BOB, STAFF = (UserId(new_uuid7()) for _ in range(3))
ASSET = Asset(USDT, "Tether", 6)
amounts = st.integers(1, 10**25).map(lambda units: Decimal(units).scaleb(-6))


def hold(amount: Decimal = Decimal(5)) -> Hold:
    return Hold(HoldId(new_uuid7()), ANN, USDT, amount, "order", NOW)


def shares(entry: JournalEntry) -> dict[Account, Decimal]:
    return {posting.account: posting.amount for posting in entry.postings}


@given(amounts, amounts)
def test_every_entry_sums_to_zero_in_the_order_of_ids(amount: Decimal, other: Decimal):
    placed = hold(max(amount, other))
    posted = ledger.resolved(placed, HoldState.POSTED, at=NOW, taken=min(amount, other))
    assert isinstance(posted, Hold)
    sent = ledger.transfer(ANN, BOB, USDT, amount, at=NOW, fee=other)
    entries = [
        sent,
        ledger.reversal(sent, at=NOW),
        ledger.fee(ANN, USDT, amount, at=NOW),
        ledger.adjustment(ANN, USDT, amount.copy_negate(), by=STAFF, source="proposal:1", at=NOW),
        ledger.placing(placed),
        ledger.resolving(posted, to=available(BOB, USDT)),
    ]

    for entry in entries:
        ids = [posting.account.id for posting in entry.postings]
        assert total(posting.amount for posting in entry.postings) == 0
        assert ids == sorted(set(ids))
        assert all(posting.amount for posting in entry.postings)


def test_the_lines_of_one_account_are_one_posting():
    lines = [
        (available(ANN, USDT), Decimal(3)),
        (available(ANN, USDT), Decimal(-1)),
        (available(BOB, USDT), Decimal("0.0")),
        (house(AccountKind.FEES, USDT), Decimal(-2)),
    ]

    entry = ledger.entry(EntryKind.DEPOSIT, lines, at=NOW)

    assert shares(entry) == {lines[0][0]: Decimal(2), lines[3][0]: Decimal(-2)}


def test_a_part_of_a_hold_is_taken_and_the_rest_is_free():
    posted = ledger.resolved(hold(), HoldState.POSTED, at=NOW, taken=Decimal(2))
    assert isinstance(posted, Hold)

    assert shares(ledger.resolving(posted, to=available(BOB, USDT))) == {
        held(ANN, USDT): Decimal(-5),
        available(ANN, USDT): Decimal(3),
        available(BOB, USDT): Decimal(2),
    }


def test_what_no_entry_may_be():
    voided = ledger.resolved(hold(), HoldState.VOIDED, at=NOW)
    posted = ledger.resolved(hold(), HoldState.POSTED, at=NOW, taken=Decimal(1))
    assert isinstance(voided, Hold)
    assert isinstance(posted, Hold)
    nothing = [(available(ANN, USDT), Decimal(1)), (available(ANN, USDT), Decimal(-1))]
    too_much = [(available(ANN, USDT), Decimal(10) ** 20)]
    refused = (
        lambda: ledger.entry(EntryKind.TRANSFER, nothing, at=NOW),
        lambda: ledger.entry(EntryKind.TRANSFER, too_much, at=NOW),
        lambda: ledger.reversal(ledger.placing(hold()), at=NOW),
        lambda: ledger.resolving(hold()),
        lambda: ledger.resolving(posted),
        lambda: ledger.resolved(hold(), HoldState.VOIDED, at=NOW, taken=Decimal(1)),
        lambda: ledger.resolved(hold(), HoldState.POSTED, at=NOW),
    )

    for attempt in refused:
        with pytest.raises(ledger.Unbalanced):
            attempt()
    assert ledger.resolved(hold(), HoldState.POSTED, at=NOW, taken=Decimal(6)) == HoldTooSmall(
        USDT, Decimal(5)
    )


def test_an_account_is_what_it_is_made_of():
    assert available(ANN, USDT).id == available(ANN, USDT).id
    assert len({available(ANN, USDT).id, held(ANN, USDT).id, available(BOB, USDT).id}) == 3
    with pytest.raises(ValueError, match="have an owner"):
        Account(AccountKind.AVAILABLE, USDT)
    with pytest.raises(ValueError, match="have none"):
        Account(AccountKind.FEES, USDT, ANN)


@pytest.mark.parametrize("text", ["0", "-1", "0.0000001", "NaN", "Infinity", "1E+18", "1E+20"])
def test_what_cannot_be_moved_is_refused(text: str):
    assert ledger.checked_amount(Decimal(text), ASSET) == BadAmount(USDT, 6)


@pytest.mark.parametrize("text", ["1", "0.000001", "1.50000000", "999999999999999999"])
def test_what_can_be_moved_is_left_as_it_is(text: str):
    assert ledger.checked_amount(Decimal(text), ASSET) == Decimal(text)
