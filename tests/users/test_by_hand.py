"""The operator's commands, from the command line to the database."""

from base64 import b64encode

import pytest

from domain.kernel.viewer import Role
from domain.users.audit import PLATFORM
from tests.command_line import sandbox_environment, typed
from tests.users.conftest import Book
from tests.world import DatabaseUrls

OLD, NEW = (b64encode(letter * 32).decode() for letter in (b"m", b"n"))


@pytest.fixture
def environment(database_urls: DatabaseUrls) -> dict[str, str]:
    return sandbox_environment(database_urls, vault_keys=f"new:{NEW},test:{OLD}")


async def test_the_first_administrator(book: Book, environment: dict[str, str]) -> None:
    ann, bob = await book.arrive(), await book.arrive("uid-bob")

    nobody = await typed(environment, "first-admin", "uid-nobody")
    made = await typed(environment, "first-admin", "uid-ann")
    second = await typed(environment, "first-admin", str(bob.user_id))

    assert nobody == (1, "No such account: accounts are made when somebody signs in.\n")
    assert made[0] == 0, made
    assert made[1].startswith(f"{ann.user_id} (uid-ann) is an administrator now.")
    assert second[0] == 1
    assert "there is an administrator already" in second[1]
    assert ann.user_id is not None
    assert bob.user_id is not None
    users = await book.accounts.users([ann.user_id, bob.user_id])
    assert Role.ADMIN in users[ann.user_id].roles
    assert Role.ADMIN not in users[bob.user_id].roles


async def test_rotating_the_master_key(book: Book, environment: dict[str, str]) -> None:
    await book.arrive()

    without = await typed(environment | {"OKD_VAULT_KEYS": f"new:{NEW}"}, "rotate-keys")
    once = await typed(environment, "rotate-keys")
    twice = await typed(environment, "rotate-keys")

    assert (without[0], "no master key 'test'" in without[1]) == (1, True), without
    assert once == (0, "1 data keys were rewrapped; all are under 'new' now.\n")
    assert twice == (0, "0 data keys were rewrapped; all are under 'new' now.\n")
    assert NEW not in once[1] + without[1]
    lines = [line for line in await book.lines(PLATFORM) if line.action == "keys.rotated"]
    assert [(line.actor_id, line.agent, line.details) for line in reversed(lines)] == [
        (None, "operator", {"activeKey": "new", "rewrapped": "1"}),
        (None, "operator", {"activeKey": "new", "rewrapped": "0"}),
    ]
