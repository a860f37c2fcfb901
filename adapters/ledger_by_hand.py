"""What an operator does about the ledger by hand: prove it, and make its balances anew.

Both exit with 0 when all adds up, 1 when something does not, 2 when they could not look.
"""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from pydantic import SecretStr

from adapters.by_hand import ByHandError
from adapters.postgres import Database
from adapters.postgres.wallets import (
    PATIENCE_SECONDS,
    RULES,
    CannotRebuild,
    PostgresClosing,
    PostgresVerification,
    rebuild_balances,
)
from adapters.settings import Settings
from domain.wallets.ports import Finding

_FIRST = 100
_USAGE = "Say which: python app.py rebuild-balances --check, or --write."
_VERIFY_USAGE = (
    "verify-ledger takes nothing, or roots that were kept: "
    "--root DAY:ROOT, as --root 2026-11-22:9f86d0..., with all its 64 digits."
)
_KEPT_ROOT = re.compile(r"(\d{4}-\d\d-\d\d):([0-9a-f]{64})", re.ASCII)
# What each rule's finding means to whoever reads it first.
_MEANINGS = {
    "unbalanced_entry": "entries that do not sum to zero",
    "entry_without_postings": "entries without postings",
    "posting_without_entry": "postings without an entry",
    "posting_of_another_account": "postings whose account is another's, or gone",
    "posting_of_another_kind": "postings whose kind is not their entry's",
    "too_fine_a_posting": "postings finer than their asset is counted",
    "wrong_balance": "balances that are not the sum of their postings",
    "wrong_running_balance": "postings whose running balance is wrong or below zero",
    "wrong_total_sent": "accounts whose total of what was sent is wrong",
    "wrong_closing": "ends of days that are not what the journal comes to",
    "gap_in_sequence": "postings whose number is not the next of their account",
    "held_without_holds": "held amounts that no open holds explain",
    "misplaced_hold": "holds that are not where in the journal they were placed",
    "outside_of_the_chain": "entries that are neither sealed nor waiting for it",
    "wrong_digest": "sealed entries that were changed",
    "broken_chain": "links that do not follow from the link before",
    "wrong_day_root": "days whose root is not what the chain and the day before make it",
    "wrong_liabilities": "published liabilities that are not what the journal comes to",
    "another_root": "days whose root is not the one that was kept elsewhere",
    "wrong_hold": "holds that are not what their entries say",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to print, and the code to end with."""

    code: int
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)


async def verify(settings: Settings, arguments: Sequence[str]) -> Verdict:
    """Prove everything from the journal alone: rules, chain, days, every tree.

    ``--root DAY:ROOT``, any number of times: and that a day has the root somebody kept.
    """
    kept = _kept_roots(arguments)
    async with _patient(settings.database_url) as database:
        verification = PostgresVerification(database, every_tree=True, kept_roots=kept)
        findings = await verification.findings(first=_FIRST)
        newest = await PostgresClosing(database).last()
    if findings:
        return Verdict(1, ("The ledger is NOT sound.", *_told(findings)))
    lines = [f"The ledger is sound: nothing was found by {len(RULES)} rules."]
    if kept:
        lines.append(f"Roots that were kept and are the same here: {len(kept)}.")
    if newest is not None:
        lines.append(f"Keep its newest root elsewhere: --root {newest.day}:{newest.root}")
    return Verdict(0, tuple(lines))


async def rebuild(settings: Settings, arguments: Sequence[str]) -> Verdict:
    """Compare balances and holds with the journal; ``--write`` makes them what it says."""
    if list(arguments) not in (["--check"], ["--write"]):
        raise ByHandError(_USAGE)
    if settings.database_owner_url is None:
        raise ByHandError("DATABASE_OWNER_URL: is missing; only okd_owner writes balances.")
    async with _patient(settings.database_owner_url) as database:
        try:
            done = await rebuild_balances(database, write=arguments[0] == "--write", first=_FIRST)
        except CannotRebuild as error:
            raise ByHandError(str(error)) from error
    seen = f"{done.balances} balances and {done.holds} holds were made from the journal"
    if not done.differences:
        return Verdict(0, (f"{seen}: all are as they are kept.",))
    told = tuple(_told(done.differences))
    if not done.written:
        last = "Nothing was written. python app.py rebuild-balances --write does."
        return Verdict(1, (f"{seen}: some are kept otherwise.", *told, last))
    last = "They are now what the journal says. A wallet whose row was gone is no longer frozen."
    return Verdict(0, (f"{seen}: some were kept otherwise.", *told, last))


def _kept_roots(arguments: Sequence[str]) -> list[tuple[date, str]]:
    found = [_KEPT_ROOT.fullmatch(each) for each in arguments[1::2]]
    named = all(each == "--root" for each in arguments[::2])
    if not named or len(arguments) % 2 or None in found:
        raise ByHandError(_VERIFY_USAGE)
    try:
        return [(date.fromisoformat(each[1]), each[2]) for each in found if each]
    except ValueError as error:
        raise ByHandError(_VERIFY_USAGE) from error


def _told(findings: Sequence[Finding]) -> Iterable[str]:
    """By rule in the order of finding: what it means, then each subject."""
    for rule, count in Counter(each.rule for each in findings).items():
        most = f"the first {count}" if count == _FIRST else str(count)
        yield f"{rule}: {_MEANINGS[rule]} ({most})"
        yield from (f"  {each.subject}: {each.details}" for each in findings if each.rule == rule)


@asynccontextmanager
async def _patient(url: SecretStr) -> AsyncIterator[Database]:
    database = Database(
        url.get_secret_value(), role="operator", pool_size=1, timeout_seconds=PATIENCE_SECONDS
    )
    try:
        yield database
    finally:
        await database.aclose()
