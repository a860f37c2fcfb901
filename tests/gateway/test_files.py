"""Files behind signed links, over a real server: who gets what, and what is told of it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from adapters.files import LocalFolder, SealedFiles
from adapters.vault import DataKey
from domain.kernel.failures import TimedOut
from domain.kernel.ids import UserId, new_uuid7
from domain.wallets.papers import (
    Downloads,
    LinkSigner,
    Statement,
    StatementFormat,
    StatementId,
    StatementState,
)
from domain.wallets.papers.model import FileId
from tests.gateway.conftest import Logs, World, serving
from tests.gateway.test_headers import EVERYWHERE, expect, get
from tests.gateway.wire import wire
from tests.users.doubles import SetClock

DATA = b"time,entry\r\n" + os.urandom(200_000)


@dataclass
class Shelf:
    """Knows one statement; breaks when it is told to."""

    known: Statement | None = None
    broken: bool = False

    async def statement(self, statement_id: StatementId) -> Statement | None:
        if self.broken:
            raise TimedOut("database")
        return self.known if self.known and self.known.id == statement_id else None

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"nobody asks for {name}")


@dataclass
class Desk:
    """One statement with a file, and a server that gives it."""

    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    shelf: Shelf = field(default_factory=Shelf)
    signer: LinkSigner = field(default_factory=lambda: LinkSigner(b"s" * 32))
    key: DataKey | None = field(default_factory=lambda: DataKey(b"k" * 32))

    def __post_init__(self) -> None:
        self.files = SealedFiles(LocalFolder(self.folder), self)
        self.downloads = Downloads(
            shelf=self.shelf,  # as much of one as is asked
            files=self.files,
            signer=self.signer,
            clock=self.clock,
        )

    async def key_of(self, owner: UUID) -> DataKey | None:
        return self.key

    async def fill(self, shown: StatementFormat = StatementFormat.CSV) -> Statement:
        owner, file, now = UserId(new_uuid7()), FileId(uuid4()), self.clock.now()
        async with self.files.writing(owner, file) as writer:
            assert writer is not None
            await writer.write(DATA)
        self.shelf.known = Statement(
            id=StatementId(new_uuid7()),
            owner=owner,
            asset=None,
            since=now - timedelta(days=30),
            until=now,
            format=shown,
            requested_at=now,
            ranges=(),
            state=StatementState.READY,
            finished_at=now,
            expires_at=now + timedelta(days=7),
            size=len(DATA),
            sha256=sha256(DATA).hexdigest(),
            file=file,
            place=self.files.place,
        )
        return self.shelf.known

    @property
    def url(self) -> str:
        assert self.shelf.known is not None
        link = self.signer.link(self.shelf.known, now=self.clock.now())
        assert link is not None
        return link.url


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    await desk.fill()
    return desk


@asynccontextmanager
async def open_door(desk: Desk, **settings: Any) -> AsyncIterator[World]:
    async with serving(downloads=desk.downloads, **settings) as world:
        yield world


def code(answer: httpx.Response) -> tuple[int, str]:
    [error] = answer.json()["errors"]
    assert error["extensions"]["correlationId"] == answer.headers["x-correlation-id"]
    return answer.status_code, error["extensions"]["code"]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("shown", "kind", "suffix"),
    [
        (StatementFormat.CSV, "text/csv; charset=utf-8; header=present", "csv"),
        (StatementFormat.PDF, "application/pdf", "pdf"),
    ],
)
async def test_whoever_holds_the_link_gets_the_file_and_nothing_is_kept(
    desk: Desk, shown: StatementFormat, kind: str, suffix: str
):
    await desk.fill(shown)
    name = f"okd-statement-all-20261023-20261122.{suffix}"
    headers = {
        **EVERYWHERE,
        "content-type": kind,
        "content-length": str(len(DATA)),
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "no-store, no-transform",
    }
    async with open_door(desk) as world, wire(world) as connection:
        await connection.send(get(desk.url.encode()))
        answer = await connection.answer()

    expect(answer, 200, headers)
    assert answer.body == DATA


async def test_a_head_tells_all_but_the_bytes_and_leaves_no_file_open(desk: Desk):
    async with open_door(desk) as world:
        whole = await world.client.get(desk.url)
        before = open_files()  # both ends of the connection among them
        head = await world.client.head(desk.url)
        after = open_files()
        again = await world.client.get(desk.url)

    assert head.status_code == 200
    assert head.content == b""
    unlike = {"date", "x-correlation-id", "traceresponse"}
    kept = [{n: v for n, v in a.headers.items() if n not in unlike} for a in (whole, head)]
    assert kept[0] == kept[1]
    assert again.content == DATA
    assert after == before


async def test_a_file_is_sent_as_it_is(desk: Desk):
    """What was told of its size and digest is true of what arrives."""
    async with open_door(desk) as world:
        answer = await world.client.get(desk.url, headers={"accept-encoding": "gzip, br, zstd"})

    assert "content-encoding" not in answer.headers
    assert answer.content == DATA


async def test_a_link_only_reads(desk: Desk):
    async with open_door(desk) as world:
        answer = await world.client.post(desk.url)

    assert code(answer) == (405, "METHOD_NOT_ALLOWED")


async def test_a_forged_link_is_refused_in_words(desk: Desk):
    forged = [
        desk.url[:-1] + ("A" if desk.url[-1] != "A" else "B"),
        desk.url.replace("expires=1", "expires=2"),
        desk.url.partition("?")[0],
        f"/files/statements/{new_uuid7()}?{desk.url.partition('?')[2]}",
        "/files/statements/..%2f..%2fplace?expires=1&signature=x",
    ]
    async with open_door(desk) as world:
        answers = [await world.client.get(url) for url in forged]

    assert [code(answer) for answer in answers[:4]] == [(403, "LINK_FORBIDDEN")] * 4
    assert answers[4].status_code in (403, 404)
    assert all(b"time,entry" not in answer.content for answer in answers)


async def test_a_link_that_is_over_is_refused_and_a_file_that_is_gone_is_gone(desk: Desk):
    url = desk.url
    async with open_door(desk) as world:
        desk.clock.move(minutes=15)
        expired = await world.client.get(url)
        fresh = desk.url
        desk.key = None
        erased = await world.client.get(fresh)

    assert code(expired) == (403, "LINK_EXPIRED")
    assert code(erased) == (410, "FILE_GONE")


async def test_what_is_broken_is_to_be_tried_again(desk: Desk):
    url = desk.url
    assert desk.shelf.known is not None
    async with open_door(desk) as world:
        desk.shelf.known = replace(desk.shelf.known, place=uuid4())
        elsewhere = await world.client.get(url)
        desk.shelf.broken = True
        late = await world.client.get(url)

    assert code(elsewhere) == (503, "UNAVAILABLE")
    assert code(late) == (504, "TIMED_OUT")
    assert elsewhere.headers["retry-after"] == late.headers["retry-after"] == "1"


@pytest.mark.provokes("Tampered", "FileDamaged")
async def test_a_file_that_was_tampered_with_is_cut_off_and_no_link_is_in_a_log(
    desk: Desk, logs: Logs
):
    url = desk.url
    assert desk.shelf.known is not None
    path = desk.folder / str(desk.shelf.known.file)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    async with open_door(desk) as world:
        with pytest.raises(httpx.RemoteProtocolError):
            await world.client.get(url)

    (crashed,) = logs.events("request_crashed")
    assert crashed["path"] == url.partition("?")[0]
    assert "signature" not in logs.text
    assert url.rpartition("=")[2] not in logs.text


@pytest.mark.parametrize("harm", ["changed", "another's", "cut", "empty"])
async def test_a_file_that_cannot_be_opened_is_told_to_be_damaged(
    desk: Desk, logs: Logs, harm: str
):
    url = desk.url
    assert desk.shelf.known is not None
    path = desk.folder / str(desk.shelf.known.file)
    raw = path.read_bytes()
    broken = {
        "changed": raw[:40] + bytes([raw[40] ^ 1]) + raw[41:],
        "another's": b"time,entry\r\n" + raw,
        "cut": raw[:100],
        "empty": b"",
    }
    path.write_bytes(broken[harm])
    before = open_files()
    async with open_door(desk) as world:
        answer = await world.client.get(url)
        head = await world.client.head(url)

    assert code(answer) == (500, "FILE_DAMAGED")
    assert head.status_code == 500
    assert [each["file"] for each in logs.events("file_damaged")] == [path.name] * 2
    assert logs.events("request_crashed") == []
    assert "Traceback" not in logs.text
    assert str(desk.shelf.known.owner) not in logs.text
    assert url.rpartition("=")[2] not in logs.text
    assert open_files() == before


async def test_links_are_counted_with_everything_else(desk: Desk):
    async with open_door(desk, flood_limit="3/minute") as world:
        answers = [await world.client.head(desk.url) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


async def test_without_a_folder_there_is_no_such_page(desk: Desk):
    async with serving() as world:
        answer = await world.client.get(desk.url)

    assert code(answer) == (404, "NOT_FOUND")
