"""A day that the running processes close by themselves, and that anybody can check afterwards."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from adapters.postgres.wallets import PostgresClosing
from domain.wallets.proving import midnight_after
from tests.e2e.books import Person, Yesterday, books_of
from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller
from tests.front_door.test_dev import dev
from tests.sandbox.identity.service import Service
from tests.verifying import SCRIPT, changed
from tests.world import eventually

pytestmark = pytest.mark.xdist_group("sandbox")

PUBLIC = """query ($day: Date!) {
  ledgerProof(day: $day) { day entries firstNumber lastNumber previousRoot root }
  solvency(day: $day) { asset totalLiabilities leaves root } }"""
MINE = """query ($day: Date!) { myInclusionProof(day: $day, asset: "USDT") {
    day asset leaf { id nonce balance } path { hash sum side } root total } }"""
PLACE = ("data", "myInclusionProof")


@pytest.fixture
def firebase(sandbox: Sandbox) -> Iterator[Service]:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield Service("ours", http)


@pytest.fixture(scope="module")
async def published(sandbox: Sandbox, yesterday: Yesterday) -> dict[str, Any]:
    """What everybody is shown of yesterday, once there is something."""

    async def is_sealed() -> bool:
        return await PostgresClosing(bank.database).is_sealed(midnight_after(yesterday.day))

    async def is_closed() -> bool:
        shown = await sandbox.ask(PUBLIC, day=yesterday.day.isoformat())
        return shown["data"]["ledgerProof"] is not None

    async with books_of(sandbox) as bank:
        await bank.give(yesterday.ann.user_id, "100")  # of today: no part of what is proven
        await eventually(is_sealed)
    # It looks once a minute, and when it starts.
    await sandbox.kill("worker")
    await eventually(is_closed, within_seconds=60)
    answer = await sandbox.ask(PUBLIC, day=yesterday.day.isoformat())
    assert "errors" not in answer
    return dict(answer["data"])


def verified(answer: object, root: str, who: Person) -> tuple[int, str]:
    """The script's exit code and words, as somebody has them who has nothing else of ours."""
    done = subprocess.run(  # noqa: S603  # what docs/proofs.md tells to run
        [sys.executable, "-I", str(SCRIPT), root, who.viewer_id],
        input=json.dumps(answer),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def another_digit(text: str) -> str:
    """The last digit, changed."""
    return text[:-1] + ("1" if text[-1] != "1" else "2")


async def test_a_day_is_closed_without_a_hand_and_proves_what_everybody_had(
    sandbox: Sandbox, yesterday: Yesterday, published: dict[str, Any], firebase: Service
):
    ann = Caller(sandbox, firebase.sign_in(yesterday.ann.email)["idToken"], "phone-0005")
    answer = (await ann.ask(MINE, day=yesterday.day.isoformat())).json()

    day = published["ledgerProof"]
    assert (day["day"], day["previousRoot"]) == (yesterday.day.isoformat(), None)
    assert (day["firstNumber"], day["lastNumber"], day["entries"]) == ("1", "3", 3)
    assert [
        (each["asset"], each["totalLiabilities"], each["leaves"]) for each in published["solvency"]
    ] == [("BTC", "0.1", 16), ("USDT", "42.5", 16)]
    root = published["solvency"][1]["root"]
    assert verified(answer, root, yesterday.ann) == (
        0, f"valid: your 12.5 USDT are part of the 42.5 owed on {yesterday.day}\n",
    )  # fmt: skip
    assert verified(answer, root, yesterday.bob) == (1, "invalid: the leaf is not yours\n")


async def test_one_digit_off_proves_nothing(
    sandbox: Sandbox, yesterday: Yesterday, published: dict[str, Any], firebase: Service
):
    root = published["solvency"][1]["root"]
    bob = Caller(sandbox, firebase.sign_in(yesterday.bob.email)["idToken"], "phone-0006")
    answer = (await bob.ask(MINE, day=yesterday.day.isoformat())).json()
    assert verified(answer, root, yesterday.bob)[0] == 0

    for keys in (
        ("day",), ("leaf", "id"), ("leaf", "nonce"), ("leaf", "balance"), ("path", 0, "hash"),
        ("path", 3, "sum"), ("root",), ("total",),
    ):  # fmt: skip
        code, said = verified(changed(answer, *PLACE, *keys, to=another_digit), root, yesterday.bob)
        assert (code, said.startswith("invalid: ")) == (1, True), (keys, said)
    assert verified(answer, another_digit(root), yesterday.bob) == (
        1, "invalid: the path does not lead to the published root\n",
    )  # fmt: skip


@pytest.mark.usefixtures("published")
async def test_nobody_is_shown_anothers_place_and_the_books_are_sound(
    sandbox: Sandbox, yesterday: Yesterday
):
    answer = await sandbox.ask(MINE, day=yesterday.day.isoformat())
    said = dev("verify-ledger", f"--data-dir={sandbox.data_dir}", OKD_PYTHON=sys.executable)

    assert answer["data"] == {"myInclusionProof": None}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["UNAUTHENTICATED"]
    sound, newest = said.stdout.splitlines()
    assert sound == "The ledger is sound: nothing was found by 18 rules.", said.stderr
    assert newest.startswith("Keep its newest root elsewhere: --root ")
    assert said.returncode == 0
