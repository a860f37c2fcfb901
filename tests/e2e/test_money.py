"""Money in the whole world: given by the command, sent by address, the same after a crash."""

import asyncio
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller, demo_token
from tests.front_door.test_dev import dev
from tests.sandbox.identity.service import Service
from tests.world import eventually

pytestmark = pytest.mark.xdist_group("sandbox")

SEND = """mutation ($input: TransferFundsInput!) { transferFunds(input: $input) { __typename
  ... on TransferFundsSuccess { transfer { entryId available recipient { email } } }
  ... on UserError { code } } }"""
HISTORY = """{ viewer { wallet(asset: "USDT") { available held
  transactions { edges { node { entryId kind availableChange counterparty { email } } } }
  explain { available transactions { entryId } holds { id } } } } }"""


@pytest.fixture
def firebase(sandbox: Sandbox) -> Iterator[Service]:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield Service("ours", http)


async def history(caller: Caller) -> Any:
    return (await caller.told(HISTORY))["viewer"]["wallet"]


async def alive(caller: Caller) -> bool:
    try:
        return (await caller.ask("{ viewer { id } }")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def test_money_is_given_sent_and_sent_once_although_the_process_dies(
    sandbox: Sandbox, firebase: Service
) -> None:
    signed = firebase.sign_up()
    ann = Caller(sandbox, signed["idToken"], "phone-0001")
    vera = Caller(sandbox, demo_token(sandbox, "verified", second_factor=False), "phone-0002")
    assert (await ann.told("{ viewer { wallets { id } } }"))["viewer"]["wallets"] == []
    words = ("faucet", signed["email"], "USDT", "20", f"--data-dir={sandbox.data_dir}")
    given = await asyncio.to_thread(dev, *words, OKD_PYTHON=sys.executable)
    assert given.stdout == f"{signed['email']} can dispose of 20 USDT now.\n", given.stderr
    had = await history(vera)
    wish = {
        "recipient": {"email": "verified@okd.example"}, "asset": "USDT", "amount": "7.25",
        "idempotencyKey": str(uuid4()),
    }  # fmt: skip

    first = (await ann.told(SEND, input=wish))["transferFunds"]
    await sandbox.kill("web")
    await eventually(lambda: alive(ann), within_seconds=60)
    again = (await ann.told(SEND, input=wish))["transferFunds"]

    assert again == first
    transfer = first["transfer"]
    assert transfer["available"] == "12.75"
    assert transfer["recipient"] == {"email": "v***@o***.example"}
    mine, theirs = await history(ann), await history(vera)
    assert [edge["node"]["availableChange"] for edge in mine["transactions"]["edges"]] == [
        "-7.25", "20",
    ]  # fmt: skip
    assert mine["explain"]["available"] == mine["available"] == "12.75"
    before = Decimal(had["available"]) if had else Decimal(0)
    assert Decimal(theirs["available"]) - before == Decimal("7.25")
    newest = theirs["transactions"]["edges"][0]["node"]
    assert newest["entryId"] == transfer["entryId"]
    # Nobody is told more of the other than they need.
    assert newest["counterparty"]["email"].startswith(f"{signed['email'][0]}***@")
