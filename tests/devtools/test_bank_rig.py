"""The bank's witnesses must see what is wrong: each of them is shown something that is."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from domain.kernel.events import event_cursor, stream_of_user
from domain.kernel.ids import AssetCode, UserId, new_uuid7
from tests.bench.rig.bank.clients import Again, Wishes, Wrong, judged
from tests.bench.rig.bank.followers import Follower
from tests.bench.rig.bank.people import GIVEN, Person
from tests.bench.rig.bank.proof import Line, Told, of_answers, of_balances, of_events
from tests.bench.rig.bank.size import Size
from tests.bench.rig.bank.tally import Answer, Done, Refused, Tally, Wish, allowed
from tests.bench.rig.bank.witnesses import Outside

USDT = AssetCode("USDT")
ANN, BOB = UserId(new_uuid7()), UserId(new_uuid7())


def wish(amount: str, sender: UserId = ANN, recipient: UserId = BOB) -> Wish:
    return Wish(sender, recipient, USDT, Decimal(amount), uuid4())


def answered(*pairs: tuple[Wish, Answer]) -> Tally:
    tally = Tally({(ANN, USDT): Decimal(10), (BOB, USDT): Decimal(10)})
    for each, answer in pairs:
        tally.sent(each, at=0)
        tally.answered(each, answer, at=1)
    return tally


def lines_of(*wishes: Wish) -> list[Line]:
    """The journal, had they all been done."""
    have = {ANN: Decimal(10), BOB: Decimal(10)}
    lines = []
    for number, each in enumerate(wishes):
        for who, amount in ((each.sender, -each.amount), (each.recipient, each.amount)):
            have[who] += amount
            parties = (str(each.sender), str(each.recipient))
            lines.append(Line(who, USDT, amount, have[who], f"e{number}", "TRANSFER", *parties))
    return lines


def success(**more: object) -> dict[str, Any]:
    transfer = {"entryId": "t1", "asset": "USDT", "amount": "1", "available": "9", **more}
    return {"data": {"transferFunds": {"__typename": "TransferFundsSuccess", "transfer": transfer}}}


def refusal(code: str) -> dict[str, Any]:
    return {"data": {"transferFunds": {"__typename": "No", "code": code}}}


def error(code: str) -> dict[str, Any]:
    return {"errors": [{"message": "no", "extensions": {"code": code}}], "data": None}


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, success(), Done("t1", Decimal(9))),
        (200, refusal("INSUFFICIENT_FUNDS"), Refused("INSUFFICIENT_FUNDS")),
        (200, refusal("UNAUTHENTICATED"), Wrong("UNAUTHENTICATED")),
        (200, refusal("IDEMPOTENCY_IN_PROGRESS"), Again("IDEMPOTENCY_IN_PROGRESS")),
        (200, error("UNAVAILABLE"), Again("UNAVAILABLE")),
        (503, error("OVERLOADED"), Again("OVERLOADED")),
        (502, None, Again("HTTP 502")),
        (200, None, Wrong("HTTP 200 and no JSON")),
        (200, error("INTERNAL"), Wrong("HTTP 200: INTERNAL")),
        (400, error("GRAPHQL_VALIDATION_FAILED"), Wrong("HTTP 400: GRAPHQL_VALIDATION_FAILED")),
        (200, {"data": {"transferFunds": None}}, Wrong("HTTP 200: an answer without an answer")),
    ],
)
def test_only_a_definite_answer_is_an_answer(
    status: int, body: Mapping[str, Any] | None, meaning: object
):
    assert judged(status, body) == meaning


def test_every_amount_is_wished_for_once():
    people = [Person(UserId(new_uuid7()), "n", "t", "d") for _ in range(3)]
    wishes = Wishes(people, Size(people=3))

    made = [wishes.next()[2] for _ in range(3000)]

    assert len({(each.asset, each.amount) for each in made}) == 3000
    assert all(each.sender != each.recipient for each in made)
    hopeless = [each for each in made if each.amount > GIVEN[each.asset] * 3]
    assert 90 < len(hopeless) < 220


def test_what_may_be_read_lies_between_what_is_certain_and_what_is_possible():
    gone, coming = wish("3"), wish("2", BOB, ANN)
    tally = answered((gone, Done("t1", Decimal(7))))
    before = tally.certain(ANN)
    tally.sent(coming, at=2)

    bounds = allowed(Decimal(10), USDT, before=before, after=tally.possible(ANN))

    assert bounds == (Decimal(7), Decimal(9))
    reader = Outside("http://nobody", [], tally, seed=1)
    for total in ("7", "9"):
        reader.check({"available": total, "held": "0", "total": total}, *bounds)
    assert tally.violations == []
    for wallet in (
        {"available": "10", "held": "0", "total": "10"},  # a read that forgets what was answered
        {"available": "6.9", "held": "0", "total": "6.9"},
        {"available": "8", "held": "0", "total": "9"},
        {"available": "-1", "held": "9", "total": "8"},
    ):
        reader.check(wallet, *bounds)
    assert len(tally.violations) == 4


def test_a_statement_without_a_line_is_found_out():
    lines = [
        {"asset": "USDT", "availableChange": "-1", "availableAfter": "6"},
        {"asset": "BTC", "availableChange": "2", "availableAfter": "3"},
        {"asset": "USDT", "availableChange": "-3", "availableAfter": "7"},
        {"asset": "USDT", "availableChange": "10", "availableAfter": "10"},
    ]
    tally = answered()
    reader = Outside("http://nobody", [], tally, seed=1)

    reader.check_statement(lines)
    assert tally.violations == []
    reader.check_statement([lines[0], lines[3]])
    assert len(tally.violations) == 1


def test_the_same_key_must_be_answered_the_same():
    each = wish("3")
    tally = answered((each, Done("t1", Decimal(7))))

    tally.heard_again(each, Done("t1", Decimal(7)))
    assert tally.violations == []
    tally.heard_again(each, Done("t2", Decimal(4)))
    assert len(tally.violations) == 1


def test_the_longest_silence_counts_the_edges():
    tally = answered()
    tally.answered_at = [12.0, 13.5, 30.0]

    assert tally.longest_silence(10.0, 20.0) == 6.5


DONE, SECOND, NO = wish("3"), wish("4", BOB, ANN), wish("99")
ANSWERS: Sequence[tuple[Wish, Answer]] = (
    (DONE, Done("t1", Decimal(7))),
    (SECOND, Done("t2", Decimal(9))),
    (NO, Refused("INSUFFICIENT_FUNDS")),
)


def test_a_journal_that_is_what_was_answered_is_right():
    tally = answered(*ANSWERS)

    assert list(of_answers(tally, lines_of(DONE, SECOND))) == []
    assert list(of_balances(tally, {(ANN, USDT): Decimal(11), (BOB, USDT): Decimal(9)})) == []


@pytest.mark.parametrize(
    ("journal", "found"),
    [
        (lines_of(DONE), "acknowledged and not in the journal"),
        (lines_of(DONE, SECOND, SECOND), "in the journal 2 times"),
        (lines_of(DONE, SECOND, NO), "was answered"),
        (lines_of(DONE, SECOND, wish("1")), "nobody was told"),
        (lines_of(SECOND, DONE), "was answered"),  # in this order others balances were left
    ],
)
def test_a_journal_that_is_anything_else_is_found_out(journal: list[Line], found: str):
    assert any(found in each for each in of_answers(answered(*ANSWERS), journal))


def test_a_wish_without_an_answer_is_found_out():
    tally = answered()
    tally.sent(DONE, at=0)

    assert len(list(of_answers(tally, []))) == 1


def test_one_unit_too_much_is_found_out():
    balances = {(ANN, USDT): Decimal(11), (BOB, USDT): Decimal("9.000001")}

    assert len(list(of_balances(answered(*ANSWERS), balances))) == 1


def told_of(lines: Sequence[Line], who: UserId) -> list[Told]:
    own = [line for line in lines if line.owner == who]
    return [
        Told(
            number,
            "wallet.transfer_sent" if line.amount < 0 else "wallet.transfer_received",
            {
                "entryId": line.entry_id,
                "asset": USDT,
                "availableChange": str(line.amount),
                "available": str(line.balance),
            },
        )
        for number, line in enumerate(own, start=1)
    ]


def follower(tally: Tally, events: Sequence[Told]) -> Follower:
    made = Follower("ws://nobody", Person(ANN, "n", "t", "d"), tally)
    for event in events:
        cursor = event_cursor(stream_of_user(ANN), event.number)
        made.hear({"cursor": cursor, "type": event.type})
    return made


def test_a_subscriber_that_heard_everything_once_is_right():
    lines, tally = lines_of(DONE, SECOND), answered(*ANSWERS)
    told = told_of(lines, ANN)

    assert list(of_events(follower(tally, told), told, lines)) == []
    assert tally.violations == []


def test_a_lost_or_doubled_event_is_found_out_at_once_and_afterwards():
    lines, tally = lines_of(DONE, SECOND), answered(*ANSWERS)
    told = told_of(lines, ANN)

    lost = follower(tally, told[1:])
    assert len(tally.violations) == 1
    assert list(of_events(lost, told, lines)) != []
    doubled = follower(tally, [told[0], told[0], told[1]])
    assert len(tally.violations) == 3
    assert list(of_events(doubled, told, lines)) != []


def test_an_event_that_tells_another_amount_is_found_out():
    lines, tally = lines_of(DONE, SECOND), answered(*ANSWERS)
    told = told_of(lines, ANN)
    wrong = [replace(told[0], body={**told[0].body, "availableChange": "-3.1"}), told[1]]

    assert list(of_events(follower(tally, wrong), wrong, lines)) != []
    assert list(of_events(follower(tally, told[:1]), told[:1], lines)) != []
