"""The operator's commands about the ledger: what they say of books somebody has been at."""

import os
from datetime import date
from decimal import Decimal

import asyncpg
import pytest

from adapters.by_hand import ByHandError
from adapters.ledger_by_hand import _MEANINGS, _kept_roots
from adapters.postgres import Database
from adapters.postgres.wallets import RULES, rebuild_balances
from adapters.postgres.wallets.verifying_days import KEPT_RULE
from domain.kernel.ids import UserId
from domain.wallets import Transfer
from domain.wallets.errors import WalletFrozen
from domain.wallets.model import AccountKind, Hold, available, house
from tests.command_line import typed
from tests.wallets.conftest import BTC, USDT, Bank
from tests.wallets.proving import Ledger, tamper
from tests.world import DatabaseUrls

NOBODY = "postgresql://okd_app@127.0.0.1:1/okd"


@pytest.fixture
def books(bank: Bank) -> Ledger:
    return Ledger(bank)


@pytest.fixture
def environment(database_urls: DatabaseUrls) -> dict[str, str]:
    return os.environ | {
        "OKD_ENVIRONMENT": "sandbox",
        "DATABASE_URL": database_urls.app,
        "DATABASE_OWNER_URL": database_urls.owner,
        "REDIS_URL": "redis://127.0.0.1:1",
        "OKD_SECRET_KEY": "s" * 32,
        "OKD_BYBIT_ENVIRONMENT": "testnet",
    }


async def two_days(books: Ledger) -> tuple[UserId, UserId]:
    """Deposits, transfers, holds and two closed days."""
    bank = books.bank
    ann, bob = await bank.person("10"), await bank.person("3")
    await bank.give(ann, "0.5", BTC)
    hold = await bank.holds.reserve(ann, USDT, Decimal(4), reason="order")
    assert isinstance(hold, Hold)
    await books.end_day()
    assert isinstance(await bank.transfers.transfer(bank.wish(bob, ann, "1")), Transfer)
    await bank.holds.post(hold.id, to=house(AccountKind.IN_TRANSIT, USDT), amount=Decimal(3))
    await bank.holds.reserve(bob, USDT, Decimal(1), reason="withdrawal")
    await books.end_day()
    return ann, bob


async def test_books_that_are_sound(books: Ledger, environment: dict[str, str]):
    await two_days(books)

    verified = await typed(environment, "verify-ledger")
    rebuilt = await typed(environment, "rebuild-balances", "--check")

    newest = (await books.day(date(2026, 11, 23))).root
    assert verified[0] == 0
    assert verified[1].splitlines() == [
        "The ledger is sound: nothing was found by 18 rules.",
        f"Keep its newest root elsewhere: --root 2026-11-23:{newest}",
    ]
    assert rebuilt == (
        0, "5 balances and 2 holds were made from the journal: all are as they are kept.\n",
    )  # fmt: skip
    assert len(RULES) == 18


_DOUBLED = """
    UPDATE wallets.posting SET amount = amount * 2, balance = balance * 2 WHERE asset = 'BTC';
    UPDATE wallets.balance SET amount = amount * 2
        FROM wallets.account a WHERE a.id = account_id AND a.asset = 'BTC';
"""
_CHAIN_ANEW = """
    UPDATE wallets.chain_link SET digest = wallets.digest_of(position);
    WITH RECURSIVE anew (number, link) AS (
        SELECT 0::bigint, ''::bytea
        UNION ALL
        SELECT c.number, sha256(a.link || c.digest)
        FROM anew a JOIN wallets.chain_link c ON c.number = a.number + 1
    )
    UPDATE wallets.chain_link c SET link = a.link FROM anew a WHERE a.number = c.number;
"""
# What is done to two days, 2026-11-22 and 23, and which rules are broken by it.
TAMPERED = {
    "a posting": (
        "UPDATE wallets.posting SET amount = amount + 1 WHERE seq = 1 AND asset = 'BTC'",
        {
            "unbalanced_entry", "wrong_balance", "wrong_running_balance", "wrong_digest",
            "wrong_liabilities",
        },
    ),
    "both sides of an entry": (_DOUBLED, {"wrong_digest", "wrong_liabilities"}),
    "the same and the chain": (_DOUBLED + _CHAIN_ANEW, {"wrong_day_root", "wrong_liabilities"}),
    "the end of a day": (
        "UPDATE wallets.closed_day SET balance = balance + 1 WHERE day = '2026-11-22'",
        {"wrong_closing"},
    ),
    "what was sent": ("UPDATE wallets.balance SET sent = sent + 1", {"wrong_total_sent"}),
    "a posting's kind": (
        "UPDATE wallets.posting SET kind = 'FEE' WHERE seq = 1 AND asset = 'BTC'",
        {"posting_of_another_kind"},
    ),
    "a balance": ("UPDATE wallets.balance SET amount = amount + 1", {"wrong_balance"}),
    "a day's root": (
        "UPDATE wallets.day_root SET root = sha256(root) WHERE day = '2026-11-22'",
        {"wrong_day_root"},
    ),
    "a day's numbers, hashed anew": (
        """
        UPDATE wallets.day_root SET last_number = last_number - 1, root = sha256(convert_to(
            concat_ws(E'\\n', 'okd-day-v1', day, first_number, last_number - 1,
                encode(link, 'hex'), encode(liabilities, 'hex'),
                coalesce(encode(previous_root, 'hex'), '')), 'UTF8'))
        WHERE day = '2026-11-23'
        """,
        {"wrong_day_root"},
    ),
    "a day that is gone": (
        "DELETE FROM wallets.day_root WHERE day = '2026-11-22'",
        {"wrong_day_root", "wrong_liabilities"},
    ),
    "the newest day's root that is gone": (
        "DELETE FROM wallets.day_root WHERE day = '2026-11-23'",
        {"wrong_liabilities"},
    ),
    "all roots that are gone": ("DELETE FROM wallets.day_root", {"wrong_liabilities"}),
    "what was owed": (
        """
        UPDATE wallets.liability SET total = total - 1 WHERE day = '2026-11-22' AND asset = 'USDT'
        """,
        {"wrong_day_root", "wrong_liabilities"},
    ),
    "a leaf of a day that is long gone": (
        """
        UPDATE wallets.liability_part SET leaves = overlay(leaves PLACING '\\x01' FROM 64)
        WHERE day = '2026-11-22'
        """,
        {"wrong_liabilities"},
    ),
    "what a path is made of": (
        """
        UPDATE wallets.liability SET crowns = overlay(crowns PLACING '\\x01' FROM 64)
        WHERE day = '2026-11-22'
        """,
        {"wrong_liabilities"},
    ),
    "what finds somebody's part": (
        "UPDATE wallets.liability_part SET first_owner = sha256(first_owner)",
        {"wrong_liabilities"},
    ),
    "a leaf": (
        """
        UPDATE wallets.liability_part SET leaves = overlay(leaves PLACING '\\x01' FROM 64)
        WHERE day = '2026-11-23'
        """,
        {"wrong_liabilities"},
    ),
    "an entry taken out of the chain": (
        "DELETE FROM wallets.chain_link WHERE number = 3",
        {"broken_chain", "outside_of_the_chain", "wrong_liabilities"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
async def test_what_an_owner_of_the_server_changes_is_found(
    books: Ledger, database_urls: DatabaseUrls, what: str
):
    await two_days(books)
    assert await books.found() == set()
    change, rules = TAMPERED[what]

    await tamper(database_urls, change)

    assert await books.found() == rules


@pytest.mark.parametrize("what", ["a posting", "a balance", "a day's root"])
async def test_the_command_says_what_was_found(
    books: Ledger, database_urls: DatabaseUrls, environment: dict[str, str], what: str
):
    await two_days(books)
    change, rules = TAMPERED[what]
    await tamper(database_urls, change)

    code, said = await typed(environment, "verify-ledger")

    assert code == 1, said
    lines = said.splitlines()
    assert lines[0] == "The ledger is NOT sound."
    assert {line.partition(":")[0] for line in lines[1:] if not line.startswith(" ")} == rules
    for rule in rules:
        assert f"{rule}: {_MEANINGS[rule]} (" in said


_GONE = """
    DELETE FROM wallets.day_root WHERE day > '{after}';
    DELETE FROM wallets.liability WHERE day > '{after}';
    DELETE FROM wallets.liability_part WHERE day > '{after}';
"""


@pytest.mark.parametrize(
    "words",
    [
        ("now",),
        ("--root",),
        ("--root", "2026-11-22"),
        ("--root", f"2026-11-22:{'a' * 63}"),
        ("--root", f"2026-13-01:{'a' * 64}"),
        ("--roots", f"2026-11-22:{'a' * 64}"),
        ("--root", f"2026-11-22:{'a' * 64}", "now"),
    ],
)
def test_roots_are_told_as_they_are_shown(words: tuple[str, ...]):
    with pytest.raises(ByHandError, match="--root DAY:ROOT"):
        _kept_roots(words)


@pytest.mark.parametrize("after", ["2026-11-22", "2026-11-21"])
async def test_days_that_are_gone_without_a_trace_are_missed_by_who_kept_a_root(
    books: Ledger, database_urls: DatabaseUrls, environment: dict[str, str], after: str
):
    """The newest day, or all of them; and nothing here tells that from days not closed yet."""
    await two_days(books)
    days = [date(2026, 11, 22), date(2026, 11, 23)]
    words = [f"{day}:{(await books.day(day)).root}" for day in days]
    asked = [word for each in words for word in ("--root", each)]
    same = await typed(environment, "verify-ledger", *asked)
    await tamper(database_urls, _GONE.format(after=after))

    alone = await typed(environment, "verify-ledger")
    compared = await typed(environment, "verify-ledger", *asked)
    # And what the worker then makes of it: closed again, with another secret.
    assert await books.days.close_due() >= 1
    anew = await typed(environment, "verify-ledger", *asked)

    assert same[0] == 0
    assert "Roots that were kept and are the same here: 2.\n" in same[1]
    assert alone[0] == 0
    gone = [each for day, each in zip(days, words, strict=True) if str(day) > after]
    lines = [f"  {day}: kept elsewhere {root}, here " for day, _, root in map(_parted, gone)]
    assert compared == (
        1,
        f"The ledger is NOT sound.\n{KEPT_RULE}: {_MEANINGS[KEPT_RULE]} ({len(gone)})\n"
        + "".join(f"{line}none\n" for line in lines),
    )
    assert anew[0] == 1
    assert all(line in anew[1] for line in lines)
    assert "here none" not in anew[1]


def _parted(kept: str) -> tuple[str, str, str]:
    return kept.partition(":")


def test_every_rule_has_a_meaning():
    assert _MEANINGS.keys() == {*RULES, KEPT_RULE, "wrong_hold"}


async def test_who_cannot_look_says_so_and_not_that_all_is_well(environment: dict[str, str]):
    away = environment | {"DATABASE_URL": NOBODY, "DATABASE_OWNER_URL": NOBODY}
    without = {k: v for k, v in environment.items() if k != "DATABASE_OWNER_URL"}
    as_app = environment | {"DATABASE_OWNER_URL": environment["DATABASE_URL"]}

    for given, words, says in (
        (away, ("verify-ledger",), "The database cannot be reached right now."),
        (away, ("rebuild-balances", "--check"), "The database cannot be reached right now."),
        (environment, ("verify-ledger", "now"), "--root DAY:ROOT"),
        (environment, ("rebuild-balances",), "--check, or --write"),
        (environment, ("rebuild-balances", "--check", "--write"), "--check, or --write"),
        (without, ("rebuild-balances", "--check"), "DATABASE_OWNER_URL: is missing"),
        (as_app, ("rebuild-balances", "--write"), "set DATABASE_OWNER_URL accordingly"),
        (environment | {"OKD_SECRET_KEY": "s"}, ("verify-ledger",), "OKD_SECRET_KEY"),
    ):
        code, said = await typed(given, *words)
        assert (code, says in said) == (2, True), said


async def test_inv_13_balances_and_holds_are_made_anew(
    books: Ledger, database_urls: DatabaseUrls, environment: dict[str, str]
):
    """INV-13: whatever became of them, the journal gives them back to the last unit."""
    ann, bob = await two_days(books)
    before = await kept(database_urls)
    has = [await books.bank.has(ann), await books.bank.has(bob)]
    await tamper(
        database_urls,
        ("DELETE FROM wallets.balance WHERE account_id = $1", available(ann, USDT).id),
        (
            "UPDATE wallets.balance SET amount = 9, last_seq = 9 WHERE account_id = $1",
            available(bob, USDT).id,
        ),
        (
            "UPDATE wallets.balance SET sent = sent + 1 WHERE account_id = $1",
            available(bob, USDT).id,
        ),
        ("DELETE FROM wallets.closed_day WHERE account_id = $1", available(ann, USDT).id),
        (
            "UPDATE wallets.closed_day SET balance = 7 WHERE account_id = $1",
            available(bob, USDT).id,
        ),
        (
            "UPDATE wallets.balance SET day = day - 9 WHERE account_id = $1",
            available(bob, USDT).id,
        ),
        ("DELETE FROM wallets.hold WHERE owner = $1", ann),
        ("UPDATE wallets.hold SET amount = 2, reason = 'x' WHERE owner = $1", bob),
        "INSERT INTO wallets.hold SELECT gen_random_uuid(), owner, asset, 1, 'made up', created_at,"
        " NULL, 'OPEN', 0, NULL FROM wallets.hold",
    )
    spoilt = await kept(database_urls)

    checked = await typed(environment, "rebuild-balances", "--check")
    assert await kept(database_urls) == spoilt != before
    written = await typed(environment, "rebuild-balances", "--write")
    again = await typed(environment, "rebuild-balances", "--write")

    assert checked[0] == 1
    assert "wrong_balance: balances that are not the sum of their postings (2)" in checked[1]
    assert "wrong_hold: holds that are not what their entries say (3)" in checked[1]
    assert "Nothing was written." in checked[1]
    assert written[0] == 0
    assert "They are now what the journal says." in written[1]
    assert again == (
        0, "5 balances and 2 holds were made from the journal: all are as they are kept.\n",
    )  # fmt: skip
    assert await kept(database_urls) == before
    assert [await books.bank.has(ann), await books.bank.has(bob)] == has
    assert await books.found() == set()


async def test_what_is_frozen_stays_so(books: Ledger, database_urls: DatabaseUrls):
    ann, bob = await two_days(books)
    async with books.bank.works.begin() as work:
        await work.ledger.freeze(available(bob, USDT), frozen=True)
    await tamper(database_urls, "UPDATE wallets.balance SET amount = amount + 1")
    owner = Database(database_urls.owner, role="test", pool_size=1)

    done = await rebuild_balances(owner, write=True)
    await owner.aclose()

    assert done.written
    refused = await books.bank.transfers.transfer(books.bank.wish(bob, ann, "1"))
    assert refused == WalletFrozen(USDT)
    assert isinstance(await books.bank.transfers.transfer(books.bank.wish(ann, bob, "1")), Transfer)


async def test_a_journal_below_zero_is_not_made_a_balance(
    books: Ledger, database_urls: DatabaseUrls, environment: dict[str, str]
):
    await books.bank.person("5")
    before = await kept(database_urls)
    await tamper(database_urls, "UPDATE wallets.posting SET amount = -amount")

    code, said = await typed(environment, "rebuild-balances", "--write")

    assert (code, "1 accounts are below zero" in said) == (2, True), said
    assert await kept(database_urls) == before


async def test_holds_of_an_older_release_keep_what_no_entry_says(
    books: Ledger, database_urls: DatabaseUrls
):
    """Entries that were posted before they said what a hold is for, and how much was taken."""
    await two_days(books)
    before = await kept(database_urls)
    await tamper(
        database_urls,
        "UPDATE wallets.entry SET details = '{}' WHERE hold_id IS NOT NULL",
        "UPDATE wallets.hold SET amount = amount + 1",
    )
    owner = Database(database_urls.owner, role="test", pool_size=1)

    done = await rebuild_balances(owner, write=True)
    await owner.aclose()

    assert [each.rule for each in done.differences] == ["wrong_hold"] * 2
    assert await kept(database_urls) == before


async def kept(urls: DatabaseUrls) -> list[tuple[object, ...]]:
    """Everything that is a projection."""
    connection = await asyncpg.connect(urls.owner)
    try:
        rows = await connection.fetch("SELECT * FROM wallets.balance ORDER BY account_id")
        rows += await connection.fetch("SELECT * FROM wallets.closed_day ORDER BY account_id, day")
        rows += await connection.fetch("SELECT * FROM wallets.hold ORDER BY id")
    finally:
        await connection.close()
    return [tuple(row) for row in rows]
