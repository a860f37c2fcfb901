"""Searching the log of everything anybody did."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.kernel.page import Page, page_size
from domain.kernel.viewer import Viewer
from domain.users.acts import log_act
from domain.users.caller import owner_of
from domain.users.model import Activity, ActivityResult, Client
from domain.users.pages import page_of, position_of
from domain.users.ports import Accounts, ActivityQuery, Works

CSV_ROWS_MAX = 10_000
DENIED_EVERY_HOURS = 1
DENIED = "field.denied"
# What an operator does by hand, and what is nobody's account but the platform's own.
OPERATOR = Client(address="", agent="operator", device_id=None)
PLATFORM = UserId(UUID(int=0))
_LIST = "audit"
_NARROWING = ("subject_id", "actor_id", "action", "result", "since", "until")
# A spreadsheet executes cells that begin so (OWASP, CSV injection), and where a cell begins is its
# own choice: in half the world at a semicolon, whatever the quotes say.
_EXECUTED = re.compile(r"""(^ *|[;,|"'\t\r\n]\s*)(?=[=+\-@＝＋－＠\t\r\n])""")  # noqa: RUF001


class Audit:
    """Reading the log; each look is itself a line of it."""

    def __init__(
        self, *, works: Works, accounts: Accounts, cursors: CursorSigner, clock: Clock
    ) -> None:
        self._works = works
        self._accounts = accounts
        self._cursors = cursors
        self._clock = clock

    async def search(
        self, viewer: Viewer, query: ActivityQuery, *, first: int, after: str | None
    ) -> Page[Activity] | BadInput:
        """Newest first; what this look writes is in none of its pages."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        position = position_of(self._cursors, _LIST, after)
        if isinstance(position, BadInput):
            return position
        found = await self._accounts.activity(query, first=size + 1, before=position)
        by = [name for name in _NARROWING if getattr(query, name)]
        details = {"by": " ".join(by), "found": str(len(found[:size]))}
        await self._log(viewer, query, "audit.searched", details)
        return page_of(
            self._cursors, _LIST, found, size, lambda line: (line.at, line.id), after=after
        )

    async def as_csv(self, viewer: Viewer, query: ActivityQuery) -> str | BadInput:
        """At most 10,000 rows, newest first; more are refused: narrow the dates instead."""
        found = await self._accounts.activity(query, first=CSV_ROWS_MAX + 1, before=None)
        if len(found) > CSV_ROWS_MAX:
            return BadInput("filter", f"this finds more than {CSV_ROWS_MAX} lines; narrow it.")
        await self._log(viewer, query, "audit.exported", {"rows": str(len(found))})
        return _csv(found)

    async def denied(self, viewer: Viewer, field: str) -> None:
        """Somebody asked for a field that their roles do not reach: once an hour for each.

        Never raises Failure: the answer is no whether it could be written down or not.
        """
        actor, now = owner_of(viewer), self._clock.now()
        since = now - timedelta(hours=DENIED_EVERY_HOURS)
        with suppress(Failure):
            async with self._works.begin() as work:
                if await work.activity.denied_since(actor, DENIED, since, field=field):
                    return
                log_act(work, viewer, DENIED, now=now, denied=True, details={"field": field})

    async def _log(
        self, viewer: Viewer, query: ActivityQuery, action: str, details: Mapping[str, str]
    ) -> None:
        subject = query.subject_id
        async with self._works.begin() as work:
            now = self._clock.now()
            log_act(work, viewer, action, now=now, subject=subject, details=details)


async def note_rotation(works: Works, *, rewrapped: int, active: str, clock: Clock) -> None:
    """The operator's command leaves a line, too."""
    async with works.begin() as work:
        work.activity.add(
            actor_id=None,
            subject_id=PLATFORM,
            action="keys.rotated",
            result=ActivityResult.SUCCEEDED,
            now=clock.now(),
            client=OPERATOR,
            details={"rewrapped": str(rewrapped), "activeKey": active},
        )


def _csv(lines: Sequence[Activity]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["at", "actor", "subject", "action", "result", "agent", "details"])
    for line in lines:
        details = "; ".join(f"{name}={value}" for name, value in sorted(line.details.items()))
        cells = [
            line.at.isoformat(),
            str(line.actor_id or "operator"),
            str(line.subject_id),
            line.action,
            line.result.value,
            line.agent or "",
            details,
        ]
        writer.writerow([_quoted(cell) for cell in cells])
    return out.getvalue()


def _quoted(cell: str) -> str:
    return _EXECUTED.sub(r"\1'", cell)
