"""The way to the newest tables."""

import asyncio
import re
from collections.abc import Awaitable
from decimal import Decimal
from enum import StrEnum
from uuid import uuid4

import asyncpg
import orjson
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from adapters.postgres.migrations import (
    VERSION_SCHEMA,
    MigrationError,
    configuration,
    migrate,
    pending,
)
from adapters.postgres.tables import METADATA
from adapters.postgres.wallets.journal import _opened, given_of
from adapters.sandbox.servers import Servers
from domain.kernel.ids import AssetCode, Category, UserId
from domain.market import InstrumentStatus
from domain.wallets import ledger
from domain.wallets.desk.model import LedgerProposalKind, LedgerProposalState
from domain.wallets.model import (
    AccountKind,
    EntryKind,
    Hold,
    HoldId,
    HoldState,
    available,
    held,
    house,
)
from domain.wallets.papers import StatementFormat, StatementProblem, StatementState
from tests.users.people import NOW
from tests.world import DatabaseUrls, create_database, eventually


@pytest.fixture
async def empty(servers: Servers) -> DatabaseUrls:
    return await create_database(servers, f"empty_{uuid4().hex[:8]}")


async def test_migrating_twice_is_migrating_once(empty: DatabaseUrls) -> None:
    waiting = await pending(empty.owner)
    first = await migrate(empty.owner)
    second = await migrate(empty.owner)

    assert waiting == first.applied != ()
    assert first.before is None
    assert second.applied == ()
    assert second.before == second.after == first.after == waiting[-1]
    assert await pending(empty.owner) == ()


async def test_launchers_at_the_same_time_migrate_once(empty: DatabaseUrls) -> None:
    reports = await asyncio.gather(*(migrate(empty.owner) for _ in range(3)))

    assert sorted(len(report.applied) for report in reports)[:2] == [0, 0]
    assert await pending(empty.owner) == ()


def _made_as_needed(name: str | None, kind: str) -> bool:
    """Alembic's own schema, and partitions: no model describes them."""
    partition = kind == "table" and re.fullmatch(r"(event|activity)_(default|\d{6})", name or "")
    return bool(partition) or (kind == "schema" and name == VERSION_SCHEMA)


async def test_tables_are_what_the_models_say(database_urls: DatabaseUrls) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {
            "include_schemas": True,
            "compare_type": True,
            "include_name": lambda name, kind, _: not _made_as_needed(name, kind),
        }
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), METADATA)
        )

    async def connect(*_: object, **__: object) -> asyncpg.Connection:
        return await asyncpg.connect(database_urls.owner)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ("ck_instrument_category", Category),
        ("ck_instrument_status", InstrumentStatus),
        ("ck_account_kind", AccountKind),
        ("ck_entry_kind", EntryKind),
        ("ck_hold_state", HoldState),
        ("ck_proposal_kind", LedgerProposalKind),
        ("ck_proposal_state", LedgerProposalState),
        ("ck_statement_format", StatementFormat),
        ("ck_statement_state", StatementState),
        ("ck_statement_problem", StatementProblem),
    ],
)
async def test_checks_know_every_word(
    database_urls: DatabaseUrls, constraint: str, words: type[StrEnum]
) -> None:
    """alembic does not compare CHECKs: a new word needs a migration all the same."""
    owner = await asyncpg.connect(database_urls.owner)
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1"
    rule = await owner.fetchval(query, constraint)
    await owner.close()

    assert set(re.findall(r"'(\w+)'", rule)) == {word.value for word in words}


async def upgraded(urls: DatabaseUrls, revision: str) -> None:
    """As far as a release of then."""

    def upgrade(connection: Connection) -> None:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda *_, **__: asyncpg.connect(urls.owner)
    )
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE SCHEMA {VERSION_SCHEMA}"))
        await connection.commit()
        await connection.run_sync(upgrade)
    await engine.dispose()


async def test_an_older_journals_lines_and_holds_learn_what_they_are(empty: DatabaseUrls) -> None:
    await upgraded(empty, "0004")
    owner = await asyncpg.connect(empty.owner)
    await owner.execute("INSERT INTO wallets.asset VALUES ('USDT', 'Tether', 6, '[]')")
    somebody, usdt = UserId(uuid4()), AssetCode("USDT")
    origin = house(AccountKind.FAUCET, usdt)
    deposit = ledger.deposit(somebody, usdt, Decimal(5), origin=origin, source="s", at=NOW)
    hold = Hold(HoldId(uuid4()), somebody, usdt, Decimal(2), "order", NOW)
    for entry, opens in ((deposit, None), (ledger.placing(hold), hold)):
        given = given_of(entry) | ({} if opens is None else {"opens": _opened(opens)})
        await owner.execute("SELECT wallets.post($1)", orjson.dumps(given).decode())

    await migrate(empty.owner)

    kinds = await owner.fetch("SELECT kind FROM wallets.posting ORDER BY position, line")
    placed = "SELECT position FROM wallets.entry WHERE kind = 'HOLD_PLACED'"
    places = await owner.fetch("SELECT position FROM wallets.hold"), await owner.fetch(placed)
    refusal = "SELECT tgenabled FROM pg_trigger WHERE tgname = 'appended_to_only'"
    enabled = {row["tgenabled"] for row in await owner.fetch(refusal)}
    ends = await owner.fetch("SELECT account_id, day, balance FROM wallets.closing")
    written = await owner.fetchval("SELECT count(*) FROM wallets.closed_day")
    await owner.close()
    assert [row["kind"] for row in kinds] == ["DEPOSIT", "DEPOSIT", "HOLD_PLACED", "HOLD_PLACED"]
    assert places[0] == places[1]
    assert len(places[0]) == 1
    assert enabled == {b"O"}
    assert {tuple(row) for row in ends} == {
        (available(somebody, usdt).id, NOW.date(), 3),
        (held(somebody, usdt).id, NOW.date(), 2),
    }
    assert written == 0


async def test_a_posting_begun_before_an_upgrade_fails_instead_of_leaving_out_its_day(
    empty: DatabaseUrls,
) -> None:
    await upgraded(empty, "0010")
    scripts = ScriptDirectory.from_config(configuration()).walk_revisions()
    upgrade = next(each.module._ALL for each in scripts if each.revision == "0011")
    owner, app = await asyncpg.connect(empty.owner), await asyncpg.connect(empty.app)
    waiting = await asyncpg.connect(empty.owner)
    await owner.execute("INSERT INTO wallets.asset VALUES ('USDT', 'Tether', 6, '[]')")
    somebody, usdt = UserId(uuid4()), AssetCode("USDT")
    origin = house(AccountKind.FAUCET, usdt)

    async def give(amount: int) -> None:
        entry = ledger.deposit(
            somebody, usdt, Decimal(amount), origin=origin, source=f"{amount}", at=NOW
        )
        await app.execute("SELECT wallets.post($1)", orjson.dumps(given_of(entry)).decode())

    await give(5)
    async with asyncio.TaskGroup() as tasks, owner.transaction():
        for statement in upgrade:
            await owner.execute(statement)
        begun = tasks.create_task(refused(give(7)))
        query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1"
        await eventually(lambda: locked(waiting, query, app.get_server_pid()))

    assert begun.result() == "23502"
    await give(7)
    ends = await owner.fetch("SELECT account_id, day, balance FROM wallets.closing")
    for connection in (owner, app, waiting):
        await connection.close()
    assert [tuple(row) for row in ends] == [(available(somebody, usdt).id, NOW.date(), 12)]


async def refused(work: Awaitable[None]) -> str | None:
    """The state of what it raises."""
    with pytest.raises(asyncpg.PostgresError) as caught:
        await work
    state: str | None = caught.value.sqlstate
    return state


async def locked(connection: asyncpg.Connection, query: str, pid: int) -> bool:
    return bool(await connection.fetchval(query, pid))


async def test_what_runs_as_the_owner_looks_for_no_type_among_the_temporary_first(
    database_urls: DatabaseUrls,
) -> None:
    owner = await asyncpg.connect(database_urls.owner)
    rows = await owner.fetch(
        "SELECT p.oid::regprocedure::text AS name, p.prosecdef, p.proconfig FROM pg_proc p"
        " JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
    )
    await owner.close()

    assert len(rows) > 20
    for row in rows:
        paths = [each for each in row["proconfig"] or () if each.startswith("search_path=")]
        looks = ["search_path=pg_catalog, pg_temp"]
        assert paths in ([looks] if row["prosecdef"] else [looks, []]), row["name"]


async def test_a_newer_database_is_refused(empty: DatabaseUrls) -> None:
    await migrate(empty.owner)
    owner = await asyncpg.connect(empty.owner)
    await owner.execute(f"UPDATE {VERSION_SCHEMA}.alembic_version SET version_num = '9999'")  # noqa: S608  # a constant
    await owner.close()

    with pytest.raises(MigrationError, match="revision 9999"):
        await pending(empty.owner)
    with pytest.raises(MigrationError, match="revision 9999"):
        await migrate(empty.owner)


async def test_only_the_owner_migrates(empty: DatabaseUrls) -> None:
    with pytest.raises(MigrationError, match="run as okd_owner, not as okd_app"):
        await migrate(empty.app)


def test_there_is_one_line_of_revisions_and_no_way_back() -> None:
    scripts = ScriptDirectory.from_config(configuration())

    assert len(scripts.get_heads()) == 1
    for script in scripts.walk_revisions():
        with pytest.raises(NotImplementedError, match="forward only"):
            script.module.downgrade()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE market.mine (id int)",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        "ALTER TABLE market.instrument ADD COLUMN mine int",
        "DROP TABLE market.instrument",
        "TRUNCATE market.instrument",
        "DELETE FROM market.instrument",
        "SELECT * FROM migration.alembic_version",
        "SET ROLE okd_owner",
        "CREATE TEMPORARY TABLE mine (id int)",
    ],
)
async def test_the_product_may_not(database_urls: DatabaseUrls, statement: str) -> None:
    app = await asyncpg.connect(database_urls.app)
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.execute(statement)
    finally:
        await app.close()


async def test_okd_owner_owns_every_table(database_urls: DatabaseUrls) -> None:
    owner = await asyncpg.connect(database_urls.owner)
    rows = await owner.fetch(
        "SELECT DISTINCT tableowner FROM pg_tables"
        " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    )
    await owner.close()

    assert [row["tableowner"] for row in rows] == ["okd_owner"]


async def test_no_foreign_key_leaves_its_domain(database_urls: DatabaseUrls) -> None:
    owner = await asyncpg.connect(database_urls.owner)
    crossing = await owner.fetch(
        """
        SELECT c.conname FROM pg_constraint c
        JOIN pg_class here ON here.oid = c.conrelid
        JOIN pg_class there ON there.oid = c.confrelid
        WHERE c.contype = 'f' AND here.relnamespace <> there.relnamespace
        """
    )
    await owner.close()

    assert crossing == []
