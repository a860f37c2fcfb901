"""What wallets are worth and what was in them, through the schema."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.redis import RedisClient
from domain.kernel.viewer import ANONYMOUS, Viewer
from domain.users.changes import SettingsChange
from domain.wallets.model import Asset
from tests.users.conftest import Book, book
from tests.users.people import NOW
from tests.wallets.api import WalletApi, counted, owner
from tests.wallets.conftest import BTC, USDT, Bank
from tests.wallets.test_rates import EUR, SOL, Market, priced

__all__ = ["book"]

VALUES = """query ($currency: String) { viewer { wallets { asset
    value(currency: $currency) { amount currency reason rate asOf stale
        path { fromAsset toAsset symbol price inverse asOf stale source } } } } }"""
TOTAL = """query ($currency: String) { viewer { totalValue(currency: $currency) {
    amount currency stale asOf unpriced { asset reason } } } }"""
HISTORY = """query ($since: Date, $until: Date) { viewer { wallet(asset: "USDT") {
    history(since: $since, until: $until) { day openingTotal available held total } } } }"""
NOON = "2026-01-31T12:00:00.000Z"


@pytest.fixture
def market() -> Market:
    return Market(priced("BTCUSDT", "50000"), priced("BTCEUR", "40000"), priced("SOLBTC", "0.002"))


@pytest.fixture
async def api(book: Book, bank: Bank, redis_client: RedisClient, market: Market) -> WalletApi:
    await bank.assets.add(Asset(SOL, "Solana", 9))
    return WalletApi(book, bank, redis_client, rates=market.rates)


async def values(api: WalletApi, viewer: Viewer, **given: Any) -> dict[str, Any]:
    wallets = (await api.data(VALUES, viewer, **given))["viewer"]["wallets"]
    return {wallet["asset"]: wallet["value"] for wallet in wallets}


async def total(api: WalletApi, viewer: Viewer, **given: Any) -> Any:
    return (await api.data(TOTAL, viewer, **given))["viewer"]["totalValue"]


async def test_a_value_is_told_in_the_currency_of_the_settings(api: WalletApi):
    ann = await api.person("ann", "100")
    await api.bank.give(owner(ann), "0.5", BTC)

    in_usdt = await values(api, ann)
    await api.book.account.update_settings(ann, SettingsChange(display_currency="EUR"))
    in_eur = await values(api, ann)

    assert {asset: (v["amount"], v["currency"]) for asset, v in in_usdt.items()} == {
        "BTC": ("25000.000000", "USDT"), "USDT": ("100.000000", "USDT"),
    }  # fmt: skip
    assert in_eur["BTC"] == {
        "amount": "20000.00", "currency": "EUR", "reason": None, "rate": "40000",
        "asOf": NOON, "stale": False,
        "path": [{
            "fromAsset": "BTC", "toAsset": "EUR", "symbol": "BTCEUR", "price": "40000",
            "inverse": False, "asOf": NOON, "stale": False, "source": "SANDBOX",
        }],
    }  # fmt: skip
    assert in_eur["USDT"]["amount"] == "80.00"
    assert [step["symbol"] for step in in_eur["USDT"]["path"]] == ["BTCUSDT", "BTCEUR"]


async def test_held_money_is_worth_as_much(api: WalletApi):
    ann = await api.person("ann", "100")
    await api.bank.holds.reserve(owner(ann), USDT, Decimal(40), reason="order")

    assert (await values(api, ann))["USDT"]["amount"] == "100.000000"


async def test_a_total_and_its_parts_look_no_more_than_twice(api: WalletApi, market: Market):
    ann = await api.person("ann", "100")
    for asset in (BTC, SOL):
        await api.bank.give(owner(ann), "2", asset)
    both = VALUES.replace(
        "viewer {", "viewer { totalValue(currency: $currency) { amount unpriced { asset } } ", 1
    )

    data = await api.data(both, ann, currency="EUR")

    shown = {wallet["asset"]: wallet["value"]["amount"] for wallet in data["viewer"]["wallets"]}
    assert shown == {"BTC": "80000.00", "SOL": "160.00", "USDT": "80.00"}
    assert data["viewer"]["totalValue"] == {"amount": "80240.00", "unpriced": []}
    assert len(market.live.looks) <= 2
    assert market.venue.asked == []


async def test_three_wallets_are_one_look_and_one_reading_of_the_settings(
    api: WalletApi, market: Market
):
    ann = await api.person("ann", "100")
    for asset in (BTC, SOL):
        await api.bank.give(owner(ann), "2", asset)

    with counted(api.bank.database) as statements:
        shown = await values(api, ann)

    assert len(shown) == 3
    assert market.live.looks == [{"BTCUSDT", "SOLBTC"}]
    assert sum("settings" in statement for statement in statements) == 1
    assert sum("wallets.balance" in statement for statement in statements) == 1


async def test_without_a_path_there_is_a_reason_and_the_wallet_is_shown(api: WalletApi):
    ann = await api.person("ann", "100")

    shown = await values(api, ann, currency="USD")

    assert shown == {
        "USDT": {
            "amount": None, "currency": "USD", "reason": "NO_PRICE_PATH", "rate": None,
            "asOf": None, "stale": False, "path": [],
        }
    }  # fmt: skip
    assert await total(api, ann, currency="USD") == {
        "amount": None, "currency": "USD", "stale": False, "asOf": None,
        "unpriced": [{"asset": "USDT", "reason": "NO_PRICE_PATH"}],
    }  # fmt: skip


async def test_a_frozen_feed_makes_a_value_stale_and_not_wrong(api: WalletApi, market: Market):
    ann = await api.person("ann")
    await api.bank.give(owner(ann), "2", BTC)
    frozen = priced("BTCUSDT", "50000", stale=True)
    market.live.known = type(market.live)(frozen).known

    value = (await values(api, ann))["BTC"]

    assert (value["amount"], value["stale"], value["asOf"]) == ("100000.000000", True, NOON)
    assert [step["stale"] for step in value["path"]] == [True]
    assert (await total(api, ann))["stale"] is True


async def test_a_total_says_what_is_not_in_it(api: WalletApi, market: Market):
    ann = await api.person("ann", "100")
    await api.bank.give(owner(ann), "1", SOL)
    market.live.known = type(market.live)(priced("BTCUSDT", "50000")).known

    assert await total(api, ann) == {
        "amount": "100.000000", "currency": "USDT", "stale": False, "asOf": None,
        "unpriced": [{"asset": "SOL", "reason": "PRICE_UNAVAILABLE"}],
    }  # fmt: skip


async def test_who_has_nothing_has_nothing_in_any_currency(api: WalletApi):
    ann = await api.person("ann")

    assert (await total(api, ann, currency="EUR"))["amount"] == "0.00"


@pytest.mark.parametrize("field", ["wallets { value", "totalValue"])
async def test_a_currency_is_a_code(api: WalletApi, field: str):
    ann = await api.person("ann", "1")
    closed = "}" * field.count("{")

    for wrong in ("", "eur", "€", "A" * 21):
        query = f'{{ viewer {{ {field}(currency: "{wrong}") {{ amount }} {closed} }} }}'
        assert (await api.ask(query, ann))[1] == [("BAD_INPUT", "currency")]


async def history(api: WalletApi, viewer: Viewer, **given: Any) -> Any:
    data = await api.data(HISTORY, viewer, **given)
    return data["viewer"]["wallet"]["history"]


async def test_a_wallets_days_come_oldest_first(api: WalletApi):
    ann = await api.person("ann", "10")
    api.bank.clock.move(days=2)
    await api.bank.holds.reserve(owner(ann), USDT, Decimal(4), reason="order")
    await api.bank.give(owner(ann), "1.5")

    assert await history(api, ann, since="2026-11-22", until="2026-11-30") == [
        {"day": "2026-11-22", "openingTotal": "0", "available": "10", "held": "0", "total": "10"},
        {"day": "2026-11-23", "openingTotal": "10", "available": "10", "held": "0", "total": "10"},
        {"day": "2026-11-24", "openingTotal": "10", "available": "7.5", "held": "4",
         "total": "11.5"},
    ]  # fmt: skip
    default = await history(api, ann)
    assert (len(default), default[-1]["day"]) == (30, "2026-11-24")


async def test_days_have_bounds(api: WalletApi):
    ann = await api.person("ann", "10")

    for given, argument in (
        ({"since": "2025-11-21"}, "since"),
        ({"since": "2026-11-22", "until": "2026-11-21"}, "since"),
    ):
        assert (await api.ask(HISTORY, ann, **given))[1] == [("BAD_INPUT", argument)]
    assert len(await history(api, ann, since="2025-11-22")) == 366


async def test_the_days_of_all_wallets_are_one_question(api: WalletApi):
    ann = await api.person("ann", "10")
    for asset in (BTC, SOL):
        await api.bank.give(owner(ann), "2", asset)
    query = "{ viewer { wallets { history { day total } } } }"

    with counted(api.bank.database) as statements:
        wallets = (await api.data(query, ann))["viewer"]["wallets"]

    assert [wallet["history"][-1]["total"] for wallet in wallets] == ["2", "2", "10"]
    assert wallets[0]["history"][-1]["day"] == NOW.date().isoformat()
    assert wallets[0]["history"][0]["day"] == (NOW.date() - timedelta(days=29)).isoformat()
    assert sum("wallets.closing" in statement for statement in statements) == 1


async def test_nobody_sees_the_value_of_nobody(api: WalletApi):
    assert await api.data(TOTAL, ANONYMOUS) == {"viewer": None}
    ann, bob = await api.person("ann", "10"), await api.person("bob", "3")

    assert (await total(api, ann))["amount"] == "10.000000"
    assert (await total(api, bob))["amount"] == "3.000000"


async def test_euros_are_counted_in_cents_whatever_our_books_say(api: WalletApi):
    await api.bank.assets.add(Asset(EUR, "Euro", 8))
    ann = await api.person("ann", "1")

    assert (await values(api, ann, currency="EUR"))["USDT"]["amount"] == "0.80"
