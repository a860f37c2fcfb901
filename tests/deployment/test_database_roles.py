"""The SQL that makes the roles, run as the image runs it, and what the two roles then may."""

import asyncpg
import pytest

from adapters.postgres.migrations import migrate, pending
from tests.deployment import composition
from tests.deployment.cluster import Cluster


async def test_the_owner_migrates_and_the_application_works(cluster: Cluster):
    report = await migrate(cluster.address("okd_owner"))

    assert report.applied
    assert await pending(cluster.address("okd_owner")) == ()
    connection = await asyncpg.connect(cluster.address("okd_app"))
    try:
        assert await connection.fetchval("SELECT count(*) FROM market.instrument") == 0
    finally:
        await connection.close()


async def test_the_application_may_create_nothing(cluster: Cluster):
    connection = await asyncpg.connect(cluster.address("okd_app"))
    try:
        for statement in (
            "CREATE TABLE public.own ()",
            "CREATE SCHEMA own",
            "CREATE TEMPORARY TABLE own ()",
            "CREATE ROLE own",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_the_owner_is_no_superuser(cluster: Cluster):
    connection = await asyncpg.connect(cluster.address("okd_owner"))
    try:
        found = await connection.fetchrow(
            "SELECT rolsuper, rolcreaterole, rolbypassrls FROM pg_roles"
            " WHERE rolname = current_user"
        )
        assert tuple(found) == (False, False, False)
    finally:
        await connection.close()


async def test_a_wrong_password_stays_outside(cluster: Cluster):
    wrong = cluster.address("okd_app").replace(
        composition.SECRETS["POSTGRES_APP_PASSWORD"], "wrong"
    )

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(wrong)


async def test_text_sorts_by_code_point_whatever_the_host_speaks(cluster: Cluster):
    connection = await asyncpg.connect(cluster.address("okd_app"))
    try:
        sorted_words = await connection.fetchval(
            "SELECT array_agg(w ORDER BY w) FROM unnest(ARRAY['b', 'A', 'a', 'B']) AS w"
        )
        assert sorted_words == ["A", "B", "a", "b"]
        assert await connection.fetchval("SHOW server_encoding") == "UTF8"
    finally:
        await connection.close()
