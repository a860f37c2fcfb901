"""What the worker does about proofs by itself, and how it tells."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from adapters.foundation import Foundation
from adapters.ledger_duties import DayClosing, LedgerWatch, proofs
from adapters.postgres.wallets import RULES
from adapters.telemetry.counters import LedgerGauges
from domain.kernel.failures import TimedOut
from tests.users.doubles import SetClock
from tests.users.people import NOW
from tests.wallets.conftest import Bank
from tests.wallets.proving import TODAY, Ledger, tamper
from tests.world import DatabaseUrls, eventually


@dataclass
class Watch:
    """The watch over the bank of a test, and what a scrape of it shows."""

    bank: Bank
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        gauges = LedgerGauges(self.registry, rules=RULES)
        self.watch = LedgerWatch(self.bank.verification, gauges, self.bank.clock)

    def findings(self) -> dict[str, float]:
        """By rule, without those that found nothing."""
        values = {
            rule: self.registry.get_sample_value("okd_ledger_findings", {"rule": rule})
            for rule in RULES
        }
        return {rule: value for rule, value in values.items() if value != 0.0 and value is not None}

    @property
    def verified_at(self) -> float | None:
        return self.registry.get_sample_value("okd_ledger_verified_seconds")


async def test_sound_books_are_a_zero_and_no_error(bank: Bank):
    watch = Watch(bank)
    await bank.person("5")

    with capture_logs() as logs:
        await watch.watch.verify()

    assert watch.findings() == {}
    assert watch.verified_at == NOW.timestamp()
    assert [(line["event"], line["log_level"]) for line in logs] == [("ledger_verified", "info")]


async def test_what_is_found_is_counted_by_rule_and_told_as_an_error(
    bank: Bank, database_urls: DatabaseUrls
):
    watch = Watch(bank)
    for _ in range(7):
        await bank.person("5")
    await tamper(database_urls, "UPDATE wallets.balance SET amount = amount + 1")

    with capture_logs() as logs:
        await watch.watch.verify()

    (line,) = logs
    assert (line["event"], line["log_level"]) == ("ledger_findings", "error")
    assert line["rules"] == {"wrong_balance": 7}
    assert len(line["first"]) == 5
    assert "kept 6" in line["first"][0]
    assert watch.findings() == {"wrong_balance": 7.0}

    await tamper(database_urls, "UPDATE wallets.balance SET amount = amount - 1")
    await watch.watch.verify()
    assert watch.findings() == {}


async def test_a_look_that_failed_is_no_proof(bank: Bank):
    class Away:
        async def findings(self, *, first: int = 100) -> Any:
            raise TimedOut("database")

    registry = CollectorRegistry()
    watch = LedgerWatch(Away(), LedgerGauges(registry, rules=RULES), bank.clock)

    with pytest.raises(TimedOut):
        await watch.verify()

    assert registry.get_sample_value("okd_ledger_verified_seconds") == 0.0
    assert registry.get_sample_value("okd_ledger_findings", {"rule": RULES[0]}) is None


async def test_a_day_that_cannot_be_closed_is_an_error_and_not_the_end(
    bank: Bank, database_urls: DatabaseUrls
):
    books = Ledger(bank)
    await bank.person("5")
    await books.chain.seal_all()
    await tamper(database_urls, "UPDATE wallets.posting SET amount = -amount")
    bank.clock.move(days=1)

    with capture_logs() as logs:
        await DayClosing(books.days).close_due()

    assert [(line["event"], line["log_level"]) for line in logs] == [("day_not_closed", "error")]
    assert await books.proofs.day(TODAY) is None


async def test_the_worker_closes_days_and_verifies(bank: Bank, database_urls: DatabaseUrls):
    books = Ledger(bank)
    await bank.person("5")
    await books.chain.seal_all()
    registry, clock = CollectorRegistry(), SetClock(NOW + timedelta(days=1))
    base = SimpleNamespace(
        clock=clock,
        metrics=SimpleNamespace(registry=registry),
        settings=SimpleNamespace(
            database_url=SimpleNamespace(get_secret_value=lambda: database_urls.app)
        ),
    )

    with capture_logs() as logs:
        running = asyncio.ensure_future(proofs(cast("Foundation", base))())
        try:
            # Told when nothing is under way any more: a cut-off commit would be another test.
            await eventually(
                lambda: {"days_closed", "ledger_verified"} <= {line["event"] for line in logs}
            )
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    assert running.cancelled()
    assert registry.get_sample_value("okd_ledger_verified_seconds") == clock.now().timestamp()
    assert (await books.day(TODAY)).entries == 1
