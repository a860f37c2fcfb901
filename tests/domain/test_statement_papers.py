"""Lines that add up and papers made of them, without a database."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from adapters.papers import PdfPaper
from domain.kernel.ids import AssetCode, UserId, new_uuid7
from domain.kernel.money import plain, total
from domain.wallets.model import (
    AccountId,
    AccountKind,
    EntryId,
    EntryKind,
    HoldId,
)
from domain.wallets.papers import Statement, StatementFormat, StatementId
from domain.wallets.papers.csv_paper import COLUMNS, CsvPaper, safe_text
from domain.wallets.papers.model import Booking, Line, Range, Standing
from domain.wallets.papers.tying import DoesNotTie, Running, counterparty_of, note_of

ANN, BOB = UserId(new_uuid7()), UserId(new_uuid7())
BTC, USDT = AssetCode("BTC"), AssetCode("USDT")
SINCE = datetime(2026, 10, 1, tzinfo=UTC)
UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
ZERO = Decimal(0)


class Journal:
    """Somebody's accounts, as a ledger would book them."""

    def __init__(self, openings: dict[AssetCode, tuple[Decimal, Decimal]]) -> None:
        self.openings = openings
        self.now = {asset: list(amounts) for asset, amounts in openings.items()}
        self.bookings: list[Booking] = []
        self.postings = {asset: [0, 0] for asset in openings}

    def book(self, asset: AssetCode, available: Decimal, held: Decimal) -> None:
        after: list[Decimal | None] = [None, None]
        for index, change in enumerate((available, held)):
            if change:
                self.now[asset][index] = total((self.now[asset][index], change))
                after[index] = self.now[asset][index]
                self.postings[asset][index] += 1
        self.bookings.append(
            booking(
                asset=asset,
                available_change=available,
                held_change=held,
                available_after=after[0],
                held_after=after[1],
            )
        )

    def ranges(self) -> tuple[Range, ...]:
        return tuple(
            Range(
                asset=asset,
                kind=kind,
                account=AccountId(new_uuid7()),
                after=7,
                last=7 + self.postings[asset][index],
                first_position=1,
                last_position=len(self.bookings),
                opening=opening[index],
                closing=self.now[asset][index],
            )
            for asset, opening in sorted(self.openings.items())
            for index, kind in enumerate((AccountKind.AVAILABLE, AccountKind.HELD))
        )


def booking(**changes: Any) -> Booking:
    given: dict[str, Any] = {
        "entry_id": EntryId(new_uuid7()),
        "kind": EntryKind.DEPOSIT,
        "at": SINCE + timedelta(hours=3),
        "asset": USDT,
        "available_change": Decimal(1),
        "held_change": ZERO,
        "available_after": Decimal(1),
        "held_after": None,
        "source": None,
        "reverses": None,
        "hold_id": None,
        "details": {},
    }
    return Booking(**(given | changes))


def statement(ranges: tuple[Range, ...] = (), **changes: Any) -> Statement:
    given: dict[str, Any] = {
        "id": StatementId(new_uuid7()),
        "owner": ANN,
        "asset": None,
        "since": SINCE,
        "until": UNTIL,
        "format": StatementFormat.CSV,
        "requested_at": UNTIL,
        "ranges": ranges,
    }
    return Statement(**(given | changes))


def whole(paper: CsvPaper | PdfPaper, running: Running, pages: list[list[Booking]]) -> bytes:
    parts = [paper.opening(running.standings())]
    parts += [paper.lines([running.line(each) for each in page]) for page in pages]
    running.finish()
    return b"".join([*parts, paper.closing(running.standings())])


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode(), newline=""), strict=True))


amounts = st.integers(1, 10**24).map(lambda units: Decimal(units).scaleb(-18))
steps = st.lists(
    st.tuples(
        st.sampled_from([BTC, USDT]),
        st.sampled_from(["in", "out", "hold", "free", "take"]),
        amounts,
    ),
    max_size=30,
)
openings = st.fixed_dictionaries({asset: st.tuples(amounts, amounts) for asset in (BTC, USDT)})


def booked(start: dict[AssetCode, tuple[Decimal, Decimal]], acts) -> Journal:
    journal = Journal(start)
    for asset, act, amount in acts:
        less = amount.copy_negate()
        changes = {
            "in": (amount, ZERO),
            "out": (less, ZERO),
            "hold": (less, amount),
            "free": (amount, less),
            "take": (ZERO, less),
        }
        journal.book(asset, *changes[act])
    return journal


@given(start=openings, acts=steps, page=st.integers(1, 7))
def test_a_csv_read_back_ties_to_the_ledger(start, acts, page):
    journal = booked(start, acts)
    running = Running(ANN, journal.ranges())
    moves = journal.bookings
    pages = [moves[at : at + page] for at in range(0, len(moves), page)]

    data = whole(CsvPaper(statement(journal.ranges())), running, pages)

    rows = rows_of(data)
    assert [row["kind"] for row in rows] == [
        *["OPENING_BALANCE"] * 2, *["DEPOSIT"] * len(moves), *["CLOSING_BALANCE"] * 2,
    ]  # fmt: skip
    for asset in (BTC, USDT):
        of_asset = [row for row in rows if row["asset"] == asset]
        first, *lines, last = of_asset
        assert Decimal(first["total"]) == total(start[asset])
        ran = Decimal(first["total"])
        for line in lines:
            ran = total((ran, Decimal(line["change"])))
            assert Decimal(line["total"]) == ran
        standing = next(each for each in running.standings() if each.asset == asset)
        net = total((standing.came_in, standing.went_out))
        assert standing.came_in >= 0 >= standing.went_out
        assert total((Decimal(first["total"]), net)) == ran
        assert Decimal(last["total"]) == ran == total(journal.now[asset])
        assert Decimal(last["available"]) == journal.now[asset][0]
    assert running.postings == sum(map(sum, journal.postings.values()))


@given(start=openings, acts=steps.filter(bool), data=st.data())
def test_a_ledger_that_says_something_else_is_never_put_on_paper(start, acts, data):
    journal = booked(start, acts)
    place = data.draw(st.integers(0, len(acts) - 1))
    wrong = journal.bookings[place]
    name = "available_after" if wrong.available_after is not None else "held_after"
    off = total((getattr(wrong, name), Decimal("0.000000000000000001")))
    journal.bookings[place] = replace(wrong, **{name: off})
    running = Running(ANN, journal.ranges())

    with pytest.raises(DoesNotTie):
        whole(CsvPaper(statement(journal.ranges())), running, [journal.bookings])


@given(start=openings, acts=steps.filter(bool), data=st.data())
def test_a_line_that_is_missing_is_noticed(start, acts, data):
    journal = booked(start, acts)
    del journal.bookings[data.draw(st.integers(0, len(acts) - 1))]
    running = Running(ANN, journal.ranges())

    with pytest.raises(DoesNotTie):
        whole(CsvPaper(statement(journal.ranges())), running, [journal.bookings])


def test_lines_that_cancel_each_other_out_are_missed_all_the_same():
    start = {USDT: (Decimal(5), ZERO)}
    journal = booked(start, [(USDT, "in", Decimal(1)), (USDT, "in", Decimal(2)),
        (USDT, "out", Decimal(2))])  # fmt: skip
    running = Running(ANN, journal.ranges())

    with pytest.raises(DoesNotTie, match="1 lines were read, the ledger has 3"):
        whole(CsvPaper(statement(journal.ranges())), running, [journal.bookings[:1]])


def test_an_asset_nobody_asked_for_does_not_tie():
    with pytest.raises(DoesNotTie, match="not asked for"):
        Running(ANN, ()).line(booking())


def test_a_line_says_what_happened_in_the_order_of_its_columns():
    journal = Journal({USDT: (Decimal("10.5"), ZERO)})
    moved = booking(
        kind=EntryKind.TRANSFER,
        at=datetime(2026, 10, 2, 3, 4, 5, 600, tzinfo=UTC),
        available_change=Decimal("-2.50"),
        available_after=Decimal("8.00"),
        details={"sender": str(ANN), "recipient": str(BOB), "note": "rent, October"},
    )
    journal.bookings, journal.postings[USDT], journal.now[USDT] = (
        [moved],
        [1, 0],
        [Decimal(8), ZERO],
    )

    data = whole(CsvPaper(statement()), Running(ANN, journal.ranges()), [[moved]])

    tail = str(BOB)[-6:]
    assert data.decode() == (
        "time,entry,kind,asset,change,total,available,counterparty,note\r\n"
        "2026-10-01T00:00:00.000000Z,,OPENING_BALANCE,USDT,,10.5,10.5,,\r\n"
        f"2026-10-02T03:04:05.000600Z,{moved.entry_id},TRANSFER,USDT,-2.5,8,8,user *{tail},"
        '"rent, October"\r\n'
        "2026-11-01T00:00:00.000000Z,,CLOSING_BALANCE,USDT,,8,8,,\r\n"
    )


def test_what_is_held_is_still_in_the_total():
    journal = booked({USDT: (Decimal(5), Decimal(1))}, [(USDT, "hold", Decimal(2))])

    line = Running(ANN, journal.ranges()).line(journal.bookings[0])

    assert (line.change, line.total, line.available) == (ZERO, Decimal(6), Decimal(3))


def test_of_the_other_side_there_is_enough_to_tell_two_apart_and_no_more():
    sent = booking(details={"sender": str(ANN), "recipient": str(BOB)})
    got = booking(details={"sender": str(BOB), "recipient": str(ANN)})

    assert counterparty_of(sent, ANN) == counterparty_of(got, ANN) == f"user *{str(BOB)[-6:]}"
    assert counterparty_of(booking(), ANN) == ""


def test_a_note_names_hold_source_and_what_was_taken_back():
    hold, entry = HoldId(new_uuid7()), EntryId(new_uuid7())

    assert note_of(booking(hold_id=hold)) == f"hold {hold}"
    assert note_of(booking(source="faucet:1")) == "source faucet:1"
    assert note_of(booking(reverses=entry)) == f"reverses {entry}"
    assert note_of(booking(details={"note": "rent", "reason": "staff's", "sender": "x"})) == "rent"


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+49123",
        "-2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1dHYPERLINK(1)",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
    ],
)
def test_a_text_is_never_a_formula(text: str):
    line = Line(SINCE, EntryId(new_uuid7()), "TRANSFER", USDT, Decimal(-2), ZERO, ZERO, text, text)

    (row,) = rows_of(CsvPaper(statement()).opening([]) + CsvPaper(statement()).lines([line]))

    assert row["note"] == row["counterparty"] == f"'{text}"
    assert row["change"] == "-2"  # a number of ours stays one


@pytest.mark.parametrize("text", ["", "rent", "a=b", "1-2", "it's"])
def test_a_harmless_text_is_left_alone(text: str):
    assert safe_text(text) == text


@given(text=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40))
def test_any_text_comes_back_from_a_csv_in_one_piece(text: str):
    paper = CsvPaper(statement())
    line = Line(SINCE, EntryId(new_uuid7()), "TRANSFER", USDT, ZERO, ZERO, ZERO, "", text)

    (row,) = rows_of(paper.opening([]) + paper.lines([line]))

    assert row["note"] == safe_text(text)
    assert tuple(row) == COLUMNS


def pages_of(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(data), strict=True).pages]


def test_a_pdf_says_what_the_csv_says_on_numbered_pages():
    journal = booked(
        {USDT: (Decimal(100), ZERO)}, [(USDT, "in", Decimal(n)) for n in range(1, 121)]
    )
    paper = PdfPaper(statement(journal.ranges(), asset=USDT, format=StatementFormat.PDF))

    pages = pages_of(whole(paper, Running(ANN, journal.ranges()), [journal.bookings]))

    assert len(pages) > 1
    for number, page in enumerate(pages, start=1):
        assert "Statement of USDT" in page
        assert "2026-10-01 00:00:00 to 2026-11-01 00:00:00 UTC" in page
        assert f"Page {number} of {len(pages)}" in page
    text = "\n".join(pages)
    assert text.count("Opening balance") == text.count("Closing balance") == 1
    for each in journal.bookings:
        assert text.count(str(each.entry_id)) == 1
    sums = [
        line.split()[-2:] for line in text.splitlines() if line.split()[:1] in (["Came"], ["Went"])
    ]
    assert sums == [["USDT", "7260"], ["USDT", "0"]]
    closing = next(line for line in text.splitlines() if "Closing balance" in line)
    assert closing.split()[-2:] == [plain(journal.now[USDT][0])] * 2 == ["7360", "7360"]


def test_a_note_is_on_the_page_of_its_line():
    journal = booked({USDT: (Decimal(1), ZERO)}, [(USDT, "in", Decimal(n)) for n in range(1, 121)])
    noted = [
        replace(each, details={"note": f"note{number}."} if number % 2 else {})
        for number, each in enumerate(journal.bookings)
    ]
    paper = PdfPaper(statement(journal.ranges()))

    pages = pages_of(whole(paper, Running(ANN, journal.ranges()), [noted]))

    assert len(pages) > 2
    for number, each in enumerate(noted):
        (page,) = [page for page in pages if str(each.entry_id) in page]
        assert (f"note{number}." in page) is bool(number % 2)


def test_a_pdf_cuts_no_amount_and_takes_any_letter():
    huge = Decimal("-12345678901234567890.123456789012345678")
    line = Line(SINCE, EntryId(new_uuid7()), "TRANSFER", AssetCode("A" * 20), huge, huge, huge,
        "user *7be201", "\u0430\u0440\u0435\u043d\u0434\u0430 \U0001f600")  # fmt: skip
    paper = PdfPaper(statement())
    paper.opening([])
    paper.lines([line])

    (page,) = pages_of(paper.closing([Standing(USDT, huge, huge)]))

    assert page.count("-12345678901234567890.123456789012345678") == 5
    assert "?????? ?" in page


def test_the_same_statement_is_the_same_pdf():
    one = statement()

    assert PdfPaper(one).closing([]) == PdfPaper(one).closing([])
