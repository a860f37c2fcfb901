"""Statements as PDF: lines in columns, on pages that say which they are and of how many.

In English: the fonts every reader has know Latin letters only, and one that knows more would have
to come along. A file is put together in memory, so its lines are bounded (``LINES_MAX``).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from fpdf import FPDF

from domain.kernel.money import plain
from domain.wallets.papers.model import Line, Standing, Statement

CONTENT_TYPE = "application/pdf"
OPENING, CLOSING = "Opening balance", "Closing balance"
_MARGIN = 28.0
_ROW = 9.0
_ROW_FONT_SIZE = 7
# Courier's letters are 0.6 of its size wide: so many fit between the margins of A4 on its side.
_CHARACTERS = 186
_GAP = "  "
# One text per line, in a font whose letters are equally wide, costs a tenth of a cell per column.
_COLUMNS = (
    ("Time (UTC)", 19, "<"),
    ("Kind", 15, "<"),
    ("Asset", 8, "<"),
    ("Change", 27, ">"),
    ("Total", 27, ">"),
    ("Available", 27, ">"),
    ("Counterparty", 13, "<"),
    ("Entry", 36, "<"),
)


class PdfPaper:
    """Implements domain.wallets.papers.ports.Paper."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._pages = _Pages(statement)
        self._pages.add_page()

    def opening(self, standings: Sequence[Standing]) -> bytes:
        self._standings(OPENING, self._statement.since, standings)
        return b""

    def lines(self, lines: Sequence[Line]) -> bytes:
        for line in lines:
            # A note stays on the page of its line.
            if line.note and self._pages.will_page_break(2 * _ROW):
                self._pages.add_page()
            self._pages.row(
                _moment(line.at),
                line.kind,
                line.asset,
                plain(line.change),
                plain(line.total),
                plain(line.available),
                line.counterparty,
                str(line.entry_id),
            )
            if line.note:
                self._pages.note(line.note)
        return b""

    def closing(self, standings: Sequence[Standing]) -> bytes:
        for each in standings:
            self._pages.sum("Came in", each.asset, each.came_in)
            self._pages.sum("Went out", each.asset, each.went_out)
        self._standings(CLOSING, self._statement.until, standings)
        return bytes(self._pages.output())

    def _standings(self, what: str, at: datetime, standings: Sequence[Standing]) -> None:
        for each in standings:
            amounts = ("", plain(each.total), plain(each.available))
            self._pages.row(_moment(at), what, each.asset, *amounts, "", "", bold=True)


class _Pages(FPDF):
    """Pages with the statement's head on top and their number below."""

    def __init__(self, statement: Statement) -> None:
        super().__init__(orientation="landscape", unit="pt", format="A4")
        self._statement = statement
        self.set_margin(_MARGIN)
        self.set_auto_page_break(auto=True, margin=2 * _MARGIN)
        self.set_title("Statement")
        self.set_author("OKD Finance")
        # The same statement is the same file, whoever builds it and when.
        self.set_creation_date(statement.requested_at)

    def header(self) -> None:
        statement = self._statement
        self.set_font("Helvetica", "B", 12)
        self._text(f"OKD Finance - Statement of {statement.asset or 'all assets'}", 16)
        self.set_font("Helvetica", "", 8)
        period = f"{_moment(statement.since)} to {_moment(statement.until)} UTC"
        self._text(f"{period}, the latter not included. Statement {statement.id}.", 11)
        self.ln(6)
        self.set_font("Courier", "B", _ROW_FONT_SIZE)
        self._text(_in_columns([name for name, _, _ in _COLUMNS]), _ROW)
        self.line(_MARGIN, self.get_y(), self.w - _MARGIN, self.get_y())
        self.ln(2)

    def footer(self) -> None:
        self.set_y(-1.5 * _MARGIN)
        self.set_font("Helvetica", "", 8)
        self._text(f"Page {self.page_no()} of {{nb}}", 11)

    def row(self, *cells: str, bold: bool = False) -> None:
        self.set_font("Courier", "B" if bold else "", _ROW_FONT_SIZE)
        self._text(_in_columns(cells), _ROW)

    def sum(self, what: str, asset: str, change: Decimal) -> None:
        self.row("", what, asset, plain(change), "", "", "", "", bold=True)

    def note(self, note: str) -> None:
        """A line of its own, below the one it belongs to; cut where the page ends."""
        self.set_font("Courier", "", _ROW_FONT_SIZE)
        self._text(f"{' ' * 21}{note}"[:_CHARACTERS], _ROW)

    def _text(self, text: str, height: float) -> None:
        # The fonts' own letters; whatever else an id or a word may hold is a question mark.
        known = text.encode("latin-1", "replace").decode("latin-1")
        self.cell(0, height, known, new_x="LMARGIN", new_y="NEXT")


def _in_columns(cells: Sequence[str]) -> str:
    """Beside each other; one that is longer than its column moves the others, none is cut."""
    padded = [
        f"{cell:{side}{width}}" for cell, (_, width, side) in zip(cells, _COLUMNS, strict=True)
    ]
    return _GAP.join(padded).rstrip()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
