"""Proofs through the schema, checked by the script that readers are given."""

import json
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.redis import RedisClient
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Viewer
from domain.wallets.proofs import root_of_day
from tests.users.api import user_id
from tests.users.conftest import Book, book
from tests.verifying import SCRIPT, changed
from tests.wallets.api import WalletApi, owner
from tests.wallets.conftest import BTC, Bank
from tests.wallets.proving import TODAY, Ledger

__all__ = ["book"]

LEDGER = """query ($day: Date!) { ledgerProof(day: $day) {
    day root entries firstNumber lastNumber link liabilities previousRoot sealedAt } }"""
SOLVENCY = "query ($day: Date!) { solvency(day: $day) { asset totalLiabilities root leaves } }"
MINE = """query ($day: Date!, $asset: String!) { myInclusionProof(day: $day, asset: $asset) {
    day asset leaf { id nonce balance } path { hash sum side } root total } }"""
DAY = TODAY.isoformat()


@dataclass
class Client:
    """The API over both domains, and their books."""

    api: WalletApi
    books: Ledger
    ann: Viewer
    bob: Viewer

    async def answer(self, viewer: Viewer, **variables: Any) -> dict[str, Any]:
        """The whole JSON of an answer, as a reader has it in a file."""
        given = {"day": DAY, "asset": "USDT", **variables}
        return {"data": await self.api.data(MINE, viewer, **given)}


@pytest.fixture
async def client(book: Book, bank: Bank, redis_client: RedisClient) -> Client:
    api, books = WalletApi(book, bank, redis_client), Ledger(bank)
    ann, bob = await api.person("ann", "12.5"), await api.person("bob", "30")
    await bank.give(owner(bob), "0.1", BTC)
    return Client(api, books, ann, bob)


def verified(answer: Any, root: str, viewer: Viewer) -> tuple[int, str]:
    """The script's exit code, and what it says."""
    done = subprocess.run(  # noqa: S603  # what docs/proofs.md tells to run
        [sys.executable, "-I", str(SCRIPT), root, user_id(viewer)],
        input=json.dumps(answer),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


async def test_before_its_end_a_day_has_no_proof(client: Client):
    await client.books.chain.seal_all()

    assert await client.api.data(LEDGER, day=DAY) == {"ledgerProof": None}
    assert await client.api.data(SOLVENCY, day=DAY) == {"solvency": None}
    assert await client.answer(client.ann) == {"data": {"myInclusionProof": None}}
    await client.books.end_day()
    before = (TODAY - timedelta(days=1)).isoformat()
    assert await client.api.data(LEDGER, day=before) == {"ledgerProof": None}


async def test_anybody_can_follow_the_line_of_days(client: Client):
    await client.books.end_day()
    await client.books.end_day()

    first = (await client.api.data(LEDGER, day=DAY))["ledgerProof"]
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    second = (await client.api.data(LEDGER, day=tomorrow))["ledgerProof"]

    assert (first["entries"], first["firstNumber"], first["lastNumber"]) == (3, "1", "3")
    assert (second["entries"], second["firstNumber"], second["lastNumber"]) == (0, "4", "3")
    assert (first["previousRoot"], second["previousRoot"]) == (None, first["root"])
    assert first["sealedAt"] == "2026-11-23T12:00:00.000Z"
    assert first["root"] == root_of_day(
        TODAY,
        first_number=1,
        last_number=3,
        link=first["link"],
        liabilities=first["liabilities"],
        previous_root=None,
    )


async def test_everybody_can_check_their_own(client: Client):
    await client.books.end_day()
    await client.books.bank.give(owner(client.ann), "100")  # of the next day

    shown = (await client.api.data(SOLVENCY, day=DAY))["solvency"]
    usdt = {each["asset"]: each for each in shown}["USDT"]
    answer = await client.answer(client.ann)

    assert [(each["asset"], each["totalLiabilities"]) for each in shown] == [
        ("BTC", "0.1"), ("USDT", "42.5"),
    ]  # fmt: skip
    proof = answer["data"]["myInclusionProof"]
    assert Decimal(proof["leaf"]["balance"]) == Decimal("12.5")
    assert 1 << len(proof["path"]) == usdt["leaves"] == 16
    assert verified(answer, usdt["root"], client.ann) == (
        0, "valid: your 12.5 USDT are part of the 42.5 owed on 2026-11-22\n",
    )  # fmt: skip
    assert verified(answer, usdt["root"], client.bob) == (1, "invalid: the leaf is not yours\n")
    other = await client.answer(client.bob, asset="BTC")
    assert verified(other, usdt["root"], client.bob) == (
        1, "invalid: the path does not lead to the published root\n",
    )  # fmt: skip
    assert other["data"]["myInclusionProof"]["leaf"]["nonce"] != proof["leaf"]["nonce"]


async def test_the_script_objects_to_answers_that_were_changed(client: Client):
    await client.books.end_day()
    shown = (await client.api.data(SOLVENCY, day=DAY))["solvency"]
    root = {each["asset"]: each["root"] for each in shown}["USDT"]
    answer = await client.answer(client.ann)
    place = ("data", "myInclusionProof")

    for keys, to in (
        (("leaf", "balance"), "12.4"),
        (("leaf", "balance"), "-12.5"),
        (("path", 2, "sum"), "-1"),
        (("path", 1, "hash"), "0" * 64),
        (("total",), "41"),
        ((), None),
    ):
        code, said = verified(changed(answer, *place, *keys, to=to), root, client.ann)
        assert (code, said.startswith("invalid: ")) == (1, True), (keys, said)
    nonsense: list[object] = [[], {}, {"errors": []}, {"data": None}, 7]
    assert {verified(each, root, client.ann)[0] for each in nonsense} == {1}


async def test_who_asks_for_nothing_gets_it(client: Client):
    await client.books.end_day()
    nobody = replace(client.ann, user_id=UserId(new_uuid7()))

    assert await client.answer(nobody) == {"data": {"myInclusionProof": None}}
    assert await client.answer(client.ann, asset="BTC") == {"data": {"myInclusionProof": None}}
    none, errors = await client.api.ask(MINE, client.ann, day=DAY, asset="NOPE")
    assert (none, errors) == ({"myInclusionProof": None}, [("UNKNOWN_ASSET", "asset")])
    none, errors = await client.api.ask(MINE, day=DAY, asset="USDT")
    assert (none, errors) == ({"myInclusionProof": None}, [("UNAUTHENTICATED", None)])
