"""Proofs round the clock: days are closed when they are over, the books are verified every day."""

import asyncio
from collections import Counter

import structlog

from adapters.duties import Duty, every
from adapters.foundation import Foundation
from adapters.postgres import Database
from adapters.postgres.wallets import (
    PATIENCE_SECONDS,
    RULES,
    PostgresClosing,
    PostgresVerification,
)
from adapters.telemetry.counters import LedgerGauges
from domain.kernel.clock import Clock
from domain.wallets import Days
from domain.wallets.ports import Verification
from domain.wallets.proofs import BelowZero

MINUTE, DAY = 60.0, 86_400.0
_SHOWN = 5

log = structlog.get_logger()


def proofs(base: Foundation) -> Duty:
    """Both, on connections of their own: a request's patience does not read a whole journal."""

    async def run() -> None:
        database = Database(
            base.settings.database_url.get_secret_value(),
            role="proofs",
            pool_size=2,
            timeout_seconds=PATIENCE_SECONDS,
        )
        closing = DayClosing(Days(closing=PostgresClosing(database), clock=base.clock))
        verifying = LedgerWatch(
            PostgresVerification(database),
            LedgerGauges(base.metrics.registry, rules=RULES),
            base.clock,
        )
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(every(MINUTE, "days", closing.close_due)())
                tasks.create_task(every(DAY, "verification", verifying.verify)())
        finally:
            await database.aclose()

    return run


class DayClosing:
    """Closes days, and goes on where the books do not let it: the verification tells of that."""

    def __init__(self, days: Days) -> None:
        self._days = days

    async def close_due(self) -> None:
        """Raises Unavailable, TimedOut, Conflict."""
        try:
            closed = await self._days.close_due()
        except BelowZero as error:
            log.error("day_not_closed", what=str(error))  # noqa: TRY400  # no bug of this place
            return
        if closed:
            log.info("days_closed", count=closed)


class LedgerWatch:
    """Verifies, and says what was found where somebody looks."""

    def __init__(self, verification: Verification, gauges: LedgerGauges, clock: Clock) -> None:
        self._verification = verification
        self._gauges = gauges
        self._clock = clock

    async def verify(self) -> None:
        """Raises Unavailable, TimedOut."""
        findings = await self._verification.findings()
        rules = [each.rule for each in findings]
        self._gauges.verified(rules, at_seconds=self._clock.now().timestamp())
        if not findings:
            log.info("ledger_verified")
            return
        log.error(
            "ledger_findings",
            rules=dict(Counter(rules)),
            first=[f"{each.rule} {each.subject}: {each.details}" for each in findings[:_SHOWN]],
        )
