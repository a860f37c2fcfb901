"""CSV as RFC 4180 has it: UTF-8, a header, CRLF. Nothing is kept but the line at hand.

Spreadsheets take a text that begins like a formula for one, and run it; such a text gets an
apostrophe in front, which they show as text. Numbers are ours and stay numbers.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from io import StringIO

from domain.kernel.money import plain
from domain.wallets.papers.model import Line, Standing, Statement

CONTENT_TYPE = "text/csv; charset=utf-8; header=present"
COLUMNS = (
    "time", "entry", "kind", "asset", "change", "total", "available", "counterparty", "note",
)  # fmt: skip
OPENING, CLOSING = "OPENING_BALANCE", "CLOSING_BALANCE"
# ASCII and full-width: some programs read both alike.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class CsvPaper:
    """Implements domain.wallets.papers.ports.Paper."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def opening(self, standings: Sequence[Standing]) -> bytes:
        at = self._statement.since
        return _rows([COLUMNS, *(_standing(OPENING, at, each) for each in standings)])

    def lines(self, lines: Sequence[Line]) -> bytes:
        return _rows(_line(each) for each in lines)

    def closing(self, standings: Sequence[Standing]) -> bytes:
        at = self._statement.until
        return _rows(_standing(CLOSING, at, each) for each in standings)


def safe_text(text: str) -> str:
    """``text`` as a spreadsheet shows it and does not run it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def instant(at: datetime) -> str:
    """ISO 8601 in UTC, to the microsecond the ledger knows."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def _line(line: Line) -> tuple[str, ...]:
    return (
        instant(line.at),
        str(line.entry_id),
        line.kind,
        line.asset,
        plain(line.change),
        plain(line.total),
        plain(line.available),
        safe_text(line.counterparty),
        safe_text(line.note),
    )


def _standing(kind: str, at: datetime, standing: Standing) -> tuple[str, ...]:
    amounts = (plain(standing.total), plain(standing.available))
    return (instant(at), "", kind, standing.asset, "", *amounts, "", "")


def _rows(rows: Iterable[Sequence[str]]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
