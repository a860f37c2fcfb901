"""Everything about statements on a real PostgreSQL and a real folder; keys are a test's own."""

import asyncio
import os
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

from adapters.files import DataKeys, LocalFolder, SealedFiles
from adapters.papers import PdfPaper
from adapters.postgres.wallets import PostgresShelf, PostgresStatementWorks
from adapters.vault import DataKey
from domain.kernel.cursor import CursorSigner
from domain.kernel.ids import UserId
from domain.wallets.papers import (
    Download,
    Downloads,
    LinkRefusal,
    LinkSigner,
    MyStatements,
    RequestStatement,
    Statement,
    StatementBuilder,
    StatementFormat,
    StatementState,
)
from domain.wallets.papers.csv_paper import CsvPaper
from domain.wallets.papers.model import Booking
from domain.wallets.papers.ports import Shelf, StatementFiles
from domain.wallets.ports import Place
from tests.users.people import NOW
from tests.wallets.conftest import Bank

SETTLING = timedelta(seconds=10)
LONG_AGO = NOW - timedelta(days=1)


@dataclass
class Keys:
    """Everybody has a key, until it is destroyed."""

    made: dict[UUID, DataKey] = field(default_factory=dict)
    gone: set[UUID] = field(default_factory=set)

    async def key_of(self, owner: UUID) -> DataKey | None:
        if owner in self.gone:
            return None
        return self.made.setdefault(owner, DataKey(os.urandom(32)))


@dataclass
class Press:
    """The statements' part of the domain, put together."""

    bank: Bank
    folder: Path
    keys: DataKeys = field(default_factory=Keys)

    def __post_init__(self) -> None:
        database, clock = self.bank.database, self.bank.clock
        self.files = SealedFiles(LocalFolder(self.folder), self.keys)
        self.works = PostgresStatementWorks(database, clock=clock)
        self.shelf = PostgresShelf(database)
        self.signer = LinkSigner(b"s" * 32)
        self.mine = MyStatements(
            works=self.works,
            shelf=self.shelf,
            assets=self.bank.assets,
            signer=self.signer,
            cursors=CursorSigner(b"c" * 32),
            clock=clock,
            settling=SETTLING,
        )
        self.downloads = Downloads(
            shelf=self.shelf, files=self.files, signer=self.signer, clock=clock
        )
        self.builder = self.worker()

    def worker(
        self, *, shelf: Shelf | None = None, files: StatementFiles | None = None
    ) -> StatementBuilder:
        return StatementBuilder(
            works=self.works,
            shelf=shelf or self.shelf,
            files=files or self.files,
            papers={StatementFormat.CSV: CsvPaper, StatementFormat.PDF: PdfPaper},
            clock=self.bank.clock,
        )

    def wish(self, **changes: Any) -> RequestStatement:
        """All assets as CSV, from yesterday until now."""
        given = {
            "asset": None,
            "since": LONG_AGO,
            "until": self.bank.clock.now() + timedelta(seconds=1),
            "format": StatementFormat.CSV,
            "idempotency_key": uuid4(),
        }
        return RequestStatement(**(given | changes))

    async def asked(self, owner: UserId, **changes: Any) -> Statement:
        self.bank.clock.move(seconds=11)  # so that what was posted is settled
        answer = await self.mine.request(owner, self.wish(**changes))
        assert isinstance(answer, Statement), answer
        return answer

    async def now(self, statement: Statement) -> Statement:
        found = await self.shelf.statement(statement.id)
        assert found is not None
        return found

    async def built(self, owner: UserId, **changes: Any) -> Statement:
        asked = await self.asked(owner, **changes)
        assert await self.builder.build_next()
        built = await self.now(asked)
        assert built.state is StatementState.READY, built
        return built

    async def opened(self, statement: Statement, **changes: str) -> Download | LinkRefusal:
        """By a link made just now, or one that was changed."""
        link = self.mine.link(statement)
        assert link is not None
        return await self.follow(link.url, **changes)

    async def follow(self, url: str, **changes: str) -> Download | LinkRefusal:
        parts = urlsplit(url)
        query = {name: value for name, (value,) in parse_qs(parts.query).items()}
        given = {"statement_id": parts.path.rsplit("/", 1)[-1], **query, **changes}
        return await self.downloads.open(
            given["statement_id"], expires=given["expires"], signature=given["signature"]
        )

    async def content(self, statement: Statement) -> bytes:
        download = await self.opened(statement)
        assert isinstance(download, Download), download
        async with aclosing(download.chunks):
            return b"".join([chunk async for chunk in download.chunks])

    async def told(self, owner: UserId) -> list[tuple[str, dict[str, Any]]]:
        """What the owner's stream says of statements, without their ids."""
        events = await self.bank.told(owner)
        return [
            (e.type, {name: value for name, value in e.body.items() if name != "statementId"})
            for e in events
            if e.type.startswith("statement.")
        ]


@dataclass
class Pages:
    """A shelf whose every page takes a second, or for ever."""

    press: Press
    seconds: float = 1.0
    hold_from: int = 1_000_000
    """The page from which on a test lets it go on."""
    read: int = 0

    def __post_init__(self) -> None:
        self.held, self.release = asyncio.Event(), asyncio.Event()

    async def bookings(
        self, statement: Statement, *, first: int, after: Place | None
    ) -> tuple[list[Booking], Place | None]:
        self.read += 1
        if self.read >= self.hold_from:
            self.held.set()
            await self.release.wait()
        self.press.bank.clock.move(seconds=self.seconds)
        found, place = await self.press.shelf.bookings(statement, first=first, after=after)
        return list(found), place

    def __getattr__(self, name: str) -> Any:
        return getattr(self.press.shelf, name)
