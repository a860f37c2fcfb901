"""Play money, from the command line to the ledger."""

import asyncio
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.supervisor import instance
from tests.command_line import sandbox_environment, typed
from tests.front_door.test_dev import dev
from tests.users.conftest import Book, book
from tests.wallets.conftest import BTC, USDT, Bank
from tests.world import DatabaseUrls

__all__ = ["book"]

KEYS = {
    "secret.key": "s" * 32,
    "vault.keys": f"test:{b64encode(b'm' * 32).decode()}",
    "blind-index.key": "i" * 32,
}


@pytest.fixture
def environment(database_urls: DatabaseUrls) -> dict[str, str]:
    return sandbox_environment(database_urls, vault_keys=KEYS["vault.keys"])


@pytest.fixture
def data_dir(database_urls: DatabaseUrls, tmp_path: Path) -> Iterator[Path]:
    """The data dir of an instance that has this database."""
    with instance.claimed(tmp_path / "data"):
        for name, key in KEYS.items():
            (tmp_path / "data" / name).write_text(key)
        addresses = {"database": database_urls.app, "redis": "redis://127.0.0.1:1"}
        instance.publish(tmp_path / "data", addresses)
        yield tmp_path / "data"


async def test_money_is_given_and_added(book: Book, bank: Bank, environment: dict[str, str]):
    ann = (await book.arrive("demo-plain", email="plain@okd.example")).user_id
    assert ann is not None

    by_name = await typed(environment, "faucet", "plain", "USDT", "1000")
    by_address = await typed(environment, "faucet", "Plain@okd.example", "usdt", "0.50")

    assert by_name == (0, "They can dispose of 1000 USDT now.\n")
    assert by_address == (0, "They can dispose of 1000.5 USDT now.\n")
    assert await bank.has(ann, USDT) == "1000.5 + 0"
    assert await bank.verification.findings() == []


WORDS = (
    "Give an amount above zero, with at most 18 digits in front of the point and 6 behind it: USDT"
)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ["nobody", "USDT", "1"],
            "There is no such account. Accounts are made when somebody signs",
        ),
        (["nobody@okd.example", "USDT", "1"], "There is no such account."),
        (["plain", "NOPE", "1"], "There is no asset 'NOPE' here."),
        (["plain", "USDT", "0"], WORDS),
        (["plain", "USDT", "0.0000001"], WORDS),
        (["plain", "USDT", "NaN"], WORDS),
        (["plain", "USDT", "99999999999999999999"], WORDS),
        (["plain", "USDT", "much"], "'much' is no amount. Say whom, what and how much"),
        (["plain", "USDT"], "Say whom, what and how much: ./dev faucet USER ASSET AMOUNT"),
    ],
)
async def test_a_no_is_a_sentence(
    book: Book, bank: Bank, environment: dict[str, str], words: list[str], sentence: str
):
    ann = (await book.arrive("demo-plain")).user_id
    assert ann is not None

    code, said = await typed(environment, "faucet", *words)

    assert code == 1
    assert said.startswith(sentence)
    assert await bank.has(ann, BTC) == await bank.has(ann, USDT) == "0 + 0"


async def test_production_gives_nothing_away(book: Book, bank: Bank, environment: dict[str, str]):
    ann = (await book.arrive("demo-plain")).user_id
    assert ann is not None
    production = environment | {
        "OKD_ENVIRONMENT": "production",
        "OKD_FIREBASE_PROJECT": "okd-production",
        "OKD_FIREBASE_SERVICE_ACCOUNT": '{"type": "service_account", "project_id": "x", '
        '"client_email": "x", "private_key": "x", "token_uri": "x"}',
    }

    said = await typed(production, "faucet", "plain", "USDT", "1")

    assert said == (1, "Only a sandbox gives money away.\n")
    assert await bank.has(ann) == "0 + 0"


async def test_the_front_door_finds_the_running_sandbox(book: Book, bank: Bank, data_dir: Path):
    ann = (await book.arrive("demo-plain")).user_id
    assert ann is not None
    words = ("faucet", "plain", "USDT", "7")

    given = await asyncio.to_thread(
        dev, *words, f"--data-dir={data_dir}", OKD_PYTHON=sys.executable
    )

    assert (given.returncode, given.stderr) == (0, "")
    assert given.stdout == "They can dispose of 7 USDT now.\n"
    assert await bank.has(ann) == "7 + 0"


def test_without_a_running_sandbox_it_says_so(tmp_path: Path):
    said = dev("faucet", "plain", "USDT", "1", f"--data-dir={tmp_path}")

    assert said.returncode == 1
    assert said.stderr.startswith(f"No sandbox runs on {tmp_path}. Start one with ./dev run")
