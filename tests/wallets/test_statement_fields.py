"""Statements through the schema: asked for, followed, listed, and nobody else's."""

import asyncio
import re
from contextlib import aclosing, redirect_stdout
from csv import DictReader
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.postgres import Database
from adapters.postgres.users import PostgresDataKeys
from adapters.redis import RedisClient
from adapters.vault import KeyRing
from domain.kernel.events import event_cursor, stream_of_user
from domain.kernel.viewer import ANONYMOUS, Viewer
from domain.wallets.papers import LinkRefusal
from resolvers.context import context_for
from schema._ids import encode_id
from tests.snippets import DOCS, snippets_of
from tests.users.conftest import Book, book  # noqa: F401  # a fixture
from tests.users.people import NOW
from tests.wallets.api import WalletApi, owner
from tests.wallets.conftest import Bank
from tests.wallets.press import LONG_AGO, Press

SHOWN = """id asset format state progress lines linesWritten problem size sha256 fileName
    download { url expiresAt }"""
FOLLOW = f"subscription ($id: ID!) {{ statementUpdated(id: $id) {{ {SHOWN} }} }}"
LIST = f"""query ($first: Int!, $after: String) {{ viewer {{
    statements(first: $first, after: $after) {{
        edges {{ node {{ {SHOWN} }} }} pageInfo {{ hasNextPage endCursor }} }} }} }}"""


class World:
    """The API over real users, real wallets and a real folder."""

    def __init__(self, api: WalletApi, press: Press) -> None:
        self.api = api
        self.press = press
        self.book = api.book
        wallets = api.services.wallets
        assert wallets is not None
        api.services = replace(api.services, wallets=replace(wallets, papers=press.mine))

    async def somebody(self, uid: str = "uid-ann", amount: str = "100") -> Viewer:
        viewer = await self.book.arrive(uid)
        await self.press.bank.give(owner(viewer), amount)
        self.press.bank.clock.move(seconds=11)
        return viewer

    async def ask(self, viewer: Viewer, **changes: Any) -> Any:
        given = {
            "since": LONG_AGO.isoformat(),
            "until": NOW.replace(year=2027).isoformat(),
            "format": "CSV",
            "idempotencyKey": str(uuid4()),
        }
        return await self.api.change(
            viewer, "requestStatement", f"statement {{ {SHOWN} }}", **(given | changes)
        )

    async def asked(self, viewer: Viewer, **changes: Any) -> Any:
        answer = await self.ask(viewer, **changes)
        assert answer["__typename"] == "RequestStatementSuccess", answer
        return answer["statement"]

    async def build(self) -> None:
        assert await self.press.builder.build_next()
        self.api.bell.ring()


@pytest.fixture
def world(
    book: Book,  # noqa: F811  # the fixture
    database: Database,
    bank: Bank,
    redis_client: RedisClient,
    tmp_path: Path,
) -> World:
    keys = PostgresDataKeys(database, ring=KeyRing({"test": b"m" * 32}))
    bank.clock = book.clock
    bank.__post_init__()
    return World(WalletApi(book, bank, redis_client), Press(bank, tmp_path, keys))


async def test_a_statement_is_asked_for_followed_and_downloaded(world: World):
    ann = await world.somebody()
    asked = await world.asked(ann)
    assert asked == asked | {
        "asset": None, "format": "CSV", "state": "REQUESTED", "progress": 0.0, "lines": 1,
        "linesWritten": 0, "problem": None, "size": None, "sha256": None, "download": None,
        "fileName": "okd-statement-all-20261121-20261122.csv",
    }  # fmt: skip

    seen = []
    source = await world.api.follow(FOLLOW, ann, id=asked["id"])
    async with aclosing(source), asyncio.timeout(20):
        async for result in source:
            assert result.errors is None, result.errors
            seen.append(result.data["statementUpdated"])
            if len(seen) == 1:
                await world.build()

    assert seen[0] == asked
    assert [each["state"] for each in seen] == ["REQUESTED", "READY"]  # and then it completed
    ready = seen[-1]
    assert ready["progress"] == 1.0
    assert ready["problem"] is None
    download = await world.press.follow(ready["download"]["url"])
    assert not isinstance(download, LinkRefusal)
    async with aclosing(download.chunks):
        data = b"".join([chunk async for chunk in download.chunks])
    assert len(data) == ready["size"]
    assert b"DEPOSIT,USDT,100,100,100" in data


async def test_a_line_leads_to_its_transaction_as_the_guide_says(world: World):
    ann = await world.somebody()
    paper = await world.press.content(await world.press.built(owner(ann)))
    query = "{ viewer { transactions { edges { node { entryId } } } } }"
    guide = snippets_of(DOCS / "guides" / "statements.md")
    (shown,) = [each for each in guide if "Entry:" in each.text]

    (line,) = [row for row in DictReader(StringIO(paper.decode())) if row["kind"] == "DEPOSIT"]
    said = StringIO()
    with redirect_stdout(said):
        exec(re.sub(r'entry = ".+"', f'entry = "{line["entry"]}"', shown.text), {})  # noqa: S102  # our own page

    (edge,) = (await world.api.data(query, ann))["viewer"]["transactions"]["edges"]
    assert said.getvalue().strip() == edge["node"]["entryId"]


async def test_who_follows_what_is_over_gets_it_once(world: World):
    ann = await world.somebody()
    asked = await world.asked(ann)
    await world.build()

    source = await world.api.follow(FOLLOW, ann, id=asked["id"])
    async with aclosing(source), asyncio.timeout(20):
        seen = [result.data["statementUpdated"]["state"] async for result in source]

    assert seen == ["READY"]


@pytest.mark.parametrize("which", ["another's", "unknown", "a user's"])
async def test_another_persons_statement_is_not_found(world: World, which: str):
    ann, bob = await world.somebody(), await world.somebody("uid-bob")
    asked = await world.asked(ann)
    ids = {
        "another's": asked["id"],
        "unknown": encode_id("Statement", uuid4()),
        "a user's": encode_id("User", owner(bob)),
    }
    expected = "BAD_INPUT" if which == "a user's" else "UNKNOWN_STATEMENT"

    result: Any = await world.api.follow(FOLLOW, bob, id=ids[which])
    if hasattr(result, "__anext__"):
        result = await anext(result)

    assert [error.extensions["code"] for error in result.errors] == [expected]
    listed = await world.api.data(LIST, bob, first=10, after=None)
    assert listed["viewer"]["statements"]["edges"] == []


async def test_statements_are_listed_page_by_page_newest_first(world: World):
    ann = await world.somebody()
    made = [(await world.asked(ann))["id"] for _ in range(3)]

    first = (await world.api.data(LIST, ann, first=2, after=None))["viewer"]["statements"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await world.api.data(LIST, ann, first=2, after=cursor))["viewer"]["statements"]

    listed = [edge["node"]["id"] for edge in first["edges"] + second["edges"]]
    assert listed == made[::-1]
    assert [first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]] == [True, False]


async def test_every_reason_why_not_is_a_member_of_the_answer(world: World):
    ann = await world.somebody()
    for _ in range(3):
        await world.asked(ann)

    answers = [
        await world.ask(ANONYMOUS),
        await world.ask(ann),
        await world.ask(ann, asset="DOGE"),
        await world.ask(ann, since=NOW.isoformat(), until=LONG_AGO.isoformat()),
    ]

    assert [(answer["__typename"], answer["code"], answer["path"]) for answer in answers] == [
        ("Unauthenticated", "UNAUTHENTICATED", None),
        ("TooManyStatements", "TOO_MANY_STATEMENTS", None),
        ("UnknownAsset", "UNKNOWN_ASSET", ["asset"]),
        ("BadInput", "BAD_INPUT", ["until"]),
    ]


async def test_a_period_begins_where_the_database_has_days(world: World):
    ann = await world.somebody()
    until = "1970-06-01T00:00:00Z"
    listing = "{ viewer { statements { edges { node { id since } } } } }"

    for since, end in (
        ("0001-01-01T00:00:00Z", "0001-02-01T00:00:00Z"),
        ("1969-12-31T23:59:59.999999Z", until),
    ):
        answer = await world.ask(ann, since=since, until=end)
        assert (answer["code"], answer["path"]) == ("BAD_INPUT", ["since"])
    first = await world.asked(ann, since="1970-01-01T00:00:00Z", until=until)

    assert first["fileName"] == "okd-statement-all-19700101-19700601.csv"
    listed = (await world.api.data(listing, ann))["viewer"]["statements"]["edges"]
    assert listed == [{"node": {"id": first["id"], "since": "1970-01-01T00:00:00.000Z"}}]


async def test_erasing_somebody_makes_their_files_unreadable(world: World):
    ann = await world.somebody()
    await world.book.account.request_erasure(ann)
    world.press.bank.clock.move(days=13, hours=23)
    built = await world.press.built(owner(ann))
    assert b"CLOSING_BALANCE,USDT,,100,100" in await world.press.content(built)
    world.press.bank.clock.move(hours=1)
    fresh = world.press.mine.link(built)
    assert fresh is not None
    assert await world.book.erasure.erase_due() == [owner(ann)]

    assert await world.press.follow(fresh.url) is LinkRefusal.GONE
    assert (world.press.folder / str(built.file)).exists()  # there, and nobody reads it


async def test_without_a_folder_no_statement_is_made(world: World):
    ann = await world.somebody()
    wallets = world.api.services.wallets
    assert wallets is not None
    world.api.services = replace(world.api.services, wallets=replace(wallets, papers=None))

    result = await world.api.schema.execute(
        LIST, variable_values={"first": 10}, context_value=context_for(ann, world.api.services)
    )

    assert result.data == {"viewer": {"statements": None}}
    assert [repr(each.original_error) for each in result.errors or ()] == [
        "Unavailable('file storage')"
    ]


async def test_the_account_is_told_of_its_statements(world: World):
    ann = await world.somebody()
    asked = await world.asked(ann)
    await world.build()
    query = """subscription ($after: String) { accountEvents(after: $after) { __typename type
        ... on StatementProgressedEvent { statement { id } }
        ... on StatementReadyEvent { statement { id state } } } }"""

    source = await world.api.follow(query, ann, after=event_cursor(stream_of_user(owner(ann)), 0))
    told: list[Any] = []
    async with aclosing(source), asyncio.timeout(20):
        while not told or told[-1]["type"] != "statement.ready":
            result = await anext(source)
            assert result.errors is None, result.errors
            told.append(result.data["accountEvents"])

    assert told[-2:] == [
        {"__typename": "StatementProgressedEvent", "type": "statement.progressed",
         "statement": {"id": asked["id"]}},
        {"__typename": "StatementReadyEvent", "type": "statement.ready",
         "statement": {"id": asked["id"], "state": "READY"}},
    ]  # fmt: skip
