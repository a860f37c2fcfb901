"""A worker that is killed while it builds a statement: the next one finishes it, once."""

import asyncio
import csv
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from pypdf import PdfReader

from adapters.clock import SystemClock
from domain.kernel.ids import UserId
from domain.kernel.money import plain
from domain.wallets import ledger
from domain.wallets.model import AccountKind, Posted, house
from domain.wallets.papers.csv_paper import COLUMNS
from domain.wallets.recording import record
from schema._ids import encode_id
from tests.e2e.books import books_of, user_id_of
from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller, alive_again
from tests.sandbox.identity.service import Service
from tests.wallets.conftest import USDT
from tests.world import eventually

pytestmark = pytest.mark.xdist_group("sandbox")

# A third of a second's work as CSV, one and a half as PDF: time enough to see it begin.
LINES, AT_ONCE = 4000, 500
HOUR_SECONDS = 3600

REQUEST = """mutation ($input: RequestStatementInput!) { requestStatement(input: $input) {
  ... on RequestStatementSuccess { statement { id lines } } ... on UserError { code } } }"""
FOLLOW = """subscription ($id: ID!) { statementUpdated(id: $id) {
  state progress size sha256 problem download { url } } }"""
NEWEST = """{ viewer { statements(first: 1) { edges { node {
  id state size sha256 download { url } } } } } }"""
KEPT = """SELECT state, attempts, lease_until, file, size, sha256, finished_at
  FROM wallets.statement WHERE owner = $1 ORDER BY id DESC LIMIT 1"""


@dataclass
class Rich:
    """Somebody with so many deposits, and the folder their statements are made in."""

    sandbox: Sandbox
    caller: Caller
    user_id: UserId
    booked: list[tuple[str, Decimal]] = field(default_factory=list)
    """Entries and amounts, in order."""

    @property
    def folder(self) -> Path:
        return self.sandbox.data_dir / "files"

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.booked), Decimal(0))

    async def kept(self) -> asyncpg.Record:
        """Their newest statement, as the database has it."""
        return await self._row(KEPT)

    async def told_ready(self, statement_id: str) -> int:
        """How many events say that it is there."""
        async with books_of(self.sandbox) as bank:
            events = await bank.told(self.user_id)
        ready = [event for event in events if event.type == "statement.ready"]
        ids = [encode_id("Statement", UUID(str(event.body["statementId"]))) for event in ready]
        return sum(each == statement_id for each in ids)

    async def pass_a_minute(self) -> None:
        """What the killed worker claimed has run out: as it has when one waits that long."""
        await self._row(
            "UPDATE wallets.statement SET lease_until = lease_until - interval '1 minute'"
            " WHERE owner = $1 AND state = 'BUILDING' RETURNING id"
        )

    async def _row(self, statement: str) -> asyncpg.Record:
        connection = await asyncpg.connect(self.sandbox.addresses["database"])
        try:
            row = await connection.fetchrow(statement, self.user_id)
        finally:
            await connection.close()
        assert row is not None
        return row


@pytest.fixture(scope="module")
async def rich(sandbox: Sandbox) -> Rich:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        token = Service("ours", http).sign_up()["idToken"]
    caller = Caller(sandbox, token, "phone-0009")
    viewer_id = (await caller.told("{ viewer { id } }"))["viewer"]["id"]
    rich = Rich(sandbox, caller, user_id_of(viewer_id))
    faucet = house(AccountKind.FAUCET, USDT)
    async with books_of(sandbox, ago=timedelta(minutes=5)) as bank:
        for _ in range(0, LINES, AT_ONCE):
            async with bank.works.begin() as work:
                for _ in range(AT_ONCE):
                    amount = Decimal(len(rich.booked) % 89 + 1).scaleb(-2)
                    entry = ledger.deposit(
                        *(rich.user_id, USDT, amount),
                        origin=faucet,
                        source=f"test:{uuid4()}",
                        at=bank.clock.now(),
                    )
                    assert isinstance(await record(work, entry), Posted)
                    rich.booked.append((str(entry.id), amount))
                    bank.clock.move(milliseconds=1)
    return rich


@asynccontextmanager
async def following(rich: Rich, statement_id: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """What the subscription says, until it says that there is no more."""

    async def values() -> AsyncIterator[dict[str, Any]]:
        async for frame in ws:
            message = json.loads(frame)
            if message["type"] == "complete":
                return
            if message["type"] == "ping":  # who waits for a minute is asked whether it lives
                await ws.send('{"type":"pong"}')
                continue
            assert message["type"] == "next", message
            yield message["payload"]["data"]["statementUpdated"]
        raise AssertionError("it ended without completing")

    async with rich.caller.socket() as ws:
        payload = {"query": FOLLOW, "variables": {"id": statement_id}}
        await ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield values()


async def requested(rich: Rich, kind: str) -> str:
    now = SystemClock().now()
    wish = {
        "asset": "USDT", "format": kind, "idempotencyKey": str(uuid4()),
        "since": (now - timedelta(days=1)).isoformat(), "until": now.isoformat(),
    }  # fmt: skip
    statement = (await rich.caller.told(REQUEST, input=wish))["requestStatement"]["statement"]
    assert statement["lines"] == LINES
    return str(statement["id"])


async def killed_while_it_builds(rich: Rich, *, bytes_min: int) -> Path:
    """Kill the worker once so much is on the disk; the file that it leaves."""
    known = set(rich.folder.iterdir())

    def begun() -> bool:
        new = [path.stat() for path in set(rich.folder.iterdir()) - known]
        return any(status.st_size >= bytes_min for status in new)

    await eventually(begun)
    victim = await rich.sandbox.kill("worker")
    await eventually(lambda: alive_again(rich.sandbox, "worker", victim))
    (left,) = set(rich.folder.iterdir()) - known
    return left


async def downloaded(rich: Rich, url: str) -> bytes:
    host = rich.sandbox.addresses["graphql"].removesuffix("/graphql")
    async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
        answer = await http.get(host + url)
    assert answer.status_code == httpx.codes.OK
    return answer.content


def assert_whole_csv(content: bytes, rich: Rich) -> None:
    """Line by line what was booked, from nothing to what is there now."""
    header, opening, *lines, closing = csv.reader(StringIO(content.decode(), newline=""))
    assert tuple(header) == COLUMNS
    assert opening[2:7] == ["OPENING_BALANCE", "USDT", "", "0", "0"]
    expected, balance = [], Decimal(0)
    for entry_id, amount in rich.booked:
        balance += amount
        expected.append([entry_id, "DEPOSIT", "USDT", plain(amount), plain(balance)])
    assert [line[1:6] for line in lines] == expected
    assert closing[2:7] == ["CLOSING_BALANCE", "USDT", "", plain(balance), plain(balance)]


def assert_whole_pdf(content: bytes, rich: Rich) -> None:
    """All pages are there, and the last one says what is there now."""
    pages = PdfReader(BytesIO(content)).pages
    last = pages[-1].extract_text()
    assert f"{len(pages)} of {len(pages)}" in last
    assert plain(rich.total) in last


@pytest.mark.parametrize(
    "waits", [False, pytest.param(True, marks=pytest.mark.long)], ids=["minute-passed", "minute"]
)
@pytest.mark.parametrize("kind", ["CSV", "PDF"])
async def test_a_killed_workers_statement_is_ready_once_and_whole(
    rich: Rich, kind: str, waits: bool
):
    statement_id = await requested(rich, kind)
    async with following(rich, statement_id) as values:
        # A CSV is written as it is made, a PDF when all of it is.
        left = await killed_while_it_builds(rich, bytes_min=1 if kind == "CSV" else 0)

        claimed = await rich.kept()
        shown = (await rich.caller.told(NEWEST))["viewer"]["statements"]["edges"]
        if not waits:
            await rich.pass_a_minute()
        async with asyncio.timeout(100):
            seen = [value async for value in values]

    # While nobody was at it, it was nobody's.
    assert left.suffix == ".part"
    assert (claimed["state"], claimed["attempts"], claimed["file"]) == ("BUILDING", 1, None)
    assert shown[0]["node"] == {
        "id": statement_id, "state": "BUILDING", "size": None, "sha256": None, "download": None,
    }  # fmt: skip
    # It was never less than before, and READY at the end and only then.
    progress = [value["progress"] for value in seen]
    assert progress == sorted(progress)
    assert [value["state"] for value in seen].count("READY") == 1
    ready = seen[-1]
    assert (ready["state"], ready["progress"], ready["problem"]) == ("READY", 1.0, None)
    kept = await rich.kept()
    assert (kept["state"], kept["attempts"]) == ("READY", 2)
    if waits:
        assert kept["finished_at"] >= claimed["lease_until"]
    content = await downloaded(rich, ready["download"]["url"])
    assert (len(content), sha256(content).hexdigest()) == (ready["size"], ready["sha256"])
    {"CSV": assert_whole_csv, "PDF": assert_whole_pdf}[kind](content, rich)
    assert await rich.told_ready(statement_id) == 1
    wallet = await rich.caller.told('{ viewer { wallet(asset: "USDT") { available } } }')
    assert wallet["viewer"]["wallet"]["available"] == plain(rich.total)


async def test_what_a_killed_worker_left_is_swept(rich: Rich):
    """Nobody can open it, and once it is older than any file takes to be made it is gone."""
    await requested(rich, "CSV")
    left = await killed_while_it_builds(rich, bytes_min=1)
    others = set(rich.folder.iterdir()) - {left}
    os.utime(left, times=(time.time() - 2 * HOUR_SECONDS,) * 2)

    # It sweeps once a minute, and when it starts.
    await rich.sandbox.kill("worker")
    await eventually(lambda: not left.exists())

    assert set(rich.folder.iterdir()) == others
