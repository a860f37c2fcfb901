"""What money is worth in the whole world: by the sandbox exchange's own prices."""

import asyncio
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller
from tests.front_door.test_dev import dev
from tests.sandbox.identity.service import Service

pytestmark = pytest.mark.xdist_group("sandbox")

WORTH = """query ($currency: String) { viewer {
  totalValue(currency: $currency) { amount currency stale unpriced { asset reason } }
  wallets { asset total history { day openingTotal total }
    value(currency: $currency) { amount reason rate stale asOf
      path { symbol price inverse stale source } } } } }"""


@pytest.fixture
def firebase(sandbox: Sandbox) -> Iterator[Service]:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield Service("ours", http)


async def test_a_wallet_is_worth_what_the_market_says(sandbox: Sandbox, firebase: Service) -> None:
    signed = firebase.sign_up()
    ann = Caller(sandbox, signed["idToken"], "phone-0001")
    await ann.told("{ viewer { id } }")
    for amount, asset in (("0.5", "BTC"), ("100", "USDT")):
        words = ("faucet", signed["email"], asset, amount, f"--data-dir={sandbox.data_dir}")
        given = await asyncio.to_thread(dev, *words, OKD_PYTHON=sys.executable)
        assert given.returncode == 0, given.stderr

    async def worth(currency: str | None) -> Any:
        return (await ann.told(WORTH, currency=currency))["viewer"]

    shown = await worth(None)
    bitcoin, tether = shown["wallets"]
    (step,) = bitcoin["value"]["path"]
    assert (step["symbol"], step["inverse"], step["source"]) == ("BTCUSDT", False, "SANDBOX")
    assert Decimal(bitcoin["value"]["amount"]) == Decimal(step["price"]) / 2
    assert (tether["value"]["rate"], tether["value"]["path"]) == ("1", [])
    total = shown["totalValue"]
    assert (total["currency"], total["unpriced"]) == ("USDT", [])
    assert Decimal(total["amount"]) > 100
    assert [day["total"] for day in bitcoin["history"][-2:]] in (["0", "0.5"], ["0.5", "0.5"])

    (inverse,) = (await worth("BTC"))["wallets"][1]["value"]["path"]
    assert (inverse["symbol"], inverse["inverse"]) == ("BTCUSDT", True)
    # The sandbox has no dollars, and nobody declared that a stablecoin is one.
    in_dollars = await worth("USD")
    assert [each["value"]["reason"] for each in in_dollars["wallets"]] == ["NO_PRICE_PATH"] * 2
    assert in_dollars["totalValue"]["amount"] is None
