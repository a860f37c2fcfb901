"""Wallets through the schema: what there is, why, page by page, and nobody else's."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.redis import RedisClient
from domain.kernel.viewer import Viewer
from domain.wallets import ledger
from domain.wallets.model import AccountKind, Hold, Posted, house
from domain.wallets.recording import record
from tests.users.conftest import Book, book
from tests.users.people import NOW
from tests.wallets.api import WalletApi, counted, owner
from tests.wallets.conftest import BTC, USDT, Bank

__all__ = ["book"]

PAGE = """query ($first: Int!, $after: String, $filter: TransactionFilter) {
    viewer { transactions(first: $first, after: $after, filter: $filter) {
        edges { node { kind state asset availableChange availableAfter at } }
        pageInfo { hasNextPage endCursor } } } }"""


@pytest.fixture
def api(book: Book, bank: Bank, redis_client: RedisClient) -> WalletApi:  # the fixtures
    return WalletApi(book, bank, redis_client)


async def page(api: WalletApi, viewer: Viewer, **given: Any) -> Any:
    data = await api.data(PAGE, viewer, **{"first": 100, **given})
    return data["viewer"]["transactions"]


async def changes(api: WalletApi, viewer: Viewer, **narrow: Any) -> list[str]:
    found = await page(api, viewer, filter=narrow)
    return [edge["node"]["availableChange"] for edge in found["edges"]]


async def held(api: WalletApi, viewer: Viewer, amount: str, **given: Any) -> Hold:
    hold = await api.bank.holds.reserve(
        owner(viewer), USDT, Decimal(amount), reason="withdrawal", **given
    )
    assert isinstance(hold, Hold)
    return hold


async def test_everybody_may_see_what_wallets_can_hold(api: WalletApi):
    query = """{ assets { code name scale
            networks { code name scale confirmations minDeposit memo } }
        asset(code: "BTC") { name } }"""

    data = await api.data(query)

    assert data == {
        "assets": [
            {"code": "BTC", "name": "Bitcoin", "scale": 18, "networks": []},
            {"code": "USDT", "name": "Tether", "scale": 6, "networks": [
                {"code": "TRX", "name": "TRON", "scale": 6, "confirmations": 20,
                 "minDeposit": "0.5", "memo": False}]},
        ],
        "asset": {"name": "Bitcoin"},
    }  # fmt: skip
    assert await api.ask('{ asset(code: "NOPE") { name } }') == (
        {"asset": None}, [("UNKNOWN_ASSET", "asset")],
    )  # fmt: skip


async def test_wallets_are_what_somebody_ever_had(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.bank.give(owner(ann), "0.5", BTC)
    await api.person("bob")
    await api.send(ann, "bob@example.org", "0.5", asset="BTC")
    await held(api, ann, "3.25")
    query = """{ viewer { wallets { asset available held total pending frozen stale asOf
        assetDetails { name scale } }
        wallet(asset: "USDT") { total } } }"""

    viewer = (await api.data(query, ann))["viewer"]

    same = {"pending": "0", "frozen": False, "stale": False, "asOf": "2026-11-22T15:00:00.000Z"}
    assert viewer == {
        "wallets": [
            {"asset": "BTC", "available": "0", "held": "0", "total": "0",
             "assetDetails": {"name": "Bitcoin", "scale": 18}, **same},
            {"asset": "USDT", "available": "6.75", "held": "3.25", "total": "10",
             "assetDetails": {"name": "Tether", "scale": 6}, **same},
        ],
        "wallet": {"total": "10"},
    }  # fmt: skip


async def test_a_wallet_is_known_by_one_id(api: WalletApi):
    ann, bob = await api.person("ann", "1"), await api.person("bob", "1")
    query = '{ viewer { wallets { id } wallet(asset: "USDT") { id } } }'

    first, again, other = [(await api.data(query, who))["viewer"] for who in (ann, ann, bob)]

    assert first == again
    assert first["wallets"] == [first["wallet"]]
    assert other["wallet"] != first["wallet"]


async def test_who_never_had_any_has_no_wallet(api: WalletApi):
    ann = await api.person("ann")

    shown = await api.data('{ viewer { wallets { id } wallet(asset: "USDT") { id } } }', ann)
    unknown = await api.ask('{ viewer { wallet(asset: "NOPE") { id } } }', ann)

    assert shown == {"viewer": {"wallets": [], "wallet": None}}
    assert unknown == ({"viewer": {"wallet": None}}, [("UNKNOWN_ASSET", "asset")])


async def test_nobody_sees_anothers_wallet(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob", "1")
    for _ in range(3):
        await api.send(ann, "bob@example.org", "1")
    anns = await page(api, ann, first=1)

    # Another's cursor is a place in time, and shows one's own.
    bobs = await page(api, bob, after=anns["pageInfo"]["endCursor"])

    assert [edge["node"]["availableChange"] for edge in bobs["edges"]] == ["1", "1", "1"]
    assert await api.data("{ viewer { id } }") == {"viewer": None}
    eve = await api.person("eve")
    query = """{ viewer { wallets { id } transactions { edges { node { id } } }
        wallet(asset: "USDT") { id explain { available } } } }"""
    assert (await api.data(query, eve))["viewer"] == {
        "wallets": [], "transactions": {"edges": []}, "wallet": None,
    }  # fmt: skip


async def test_transactions_come_page_by_page_and_never_shift(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.person("bob")
    for cents in range(1, 6):
        await api.send(ann, "bob@example.org", f"0.0{cents}")

    seen: list[str] = []
    after, more = None, True
    while more:
        found = await page(api, ann, first=2, after=after)
        seen += [edge["node"]["availableChange"] for edge in found["edges"]]
        after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
        await api.send(ann, "bob@example.org", "1")  # newer: nothing moves

    assert seen == ["-0.05", "-0.04", "-0.03", "-0.02", "-0.01", "10"]


async def test_a_page_of_one_wallet_goes_on_in_that_wallet(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.bank.give(owner(ann), "1", BTC)
    await api.bank.give(owner(ann), "2", BTC)
    await api.bank.give(owner(ann), "3")
    query = """query ($after: String) { viewer { wallet(asset: "BTC") {
        transactions(first: 1, after: $after) {
            edges { node { availableChange } } pageInfo { hasNextPage endCursor } } } } }"""

    first = (await api.data(query, ann))["viewer"]["wallet"]["transactions"]
    cursor = first["pageInfo"]["endCursor"]
    second = (await api.data(query, ann, after=cursor))["viewer"]["wallet"]["transactions"]

    assert [edge["node"]["availableChange"] for edge in first["edges"] + second["edges"]] == [
        "2", "1",
    ]  # fmt: skip
    assert [each["pageInfo"]["hasNextPage"] for each in (first, second)] == [True, False]


@pytest.mark.parametrize(
    ("given", "argument"),
    [({"first": 0}, "first"), ({"first": 101}, "first"), ({"after": "nonsense"}, "after")],
)
async def test_a_page_has_bounds(api: WalletApi, given: dict[str, object], argument: str):
    ann = await api.person("ann", "10")

    everywhere = await api.ask(PAGE, ann, **{"first": 1, **given})
    arguments = ", ".join(f'{n}: "{v}"' if n == "after" else f"{n}: {v}" for n, v in given.items())
    query = f"{{ viewer {{ wallets {{ transactions({arguments}) {{ edges {{ cursor }} }} }} }} }}"
    in_one = await api.ask(query, ann)

    assert everywhere[1] == in_one[1] == [("BAD_INPUT", argument)]


async def test_transactions_are_narrowed(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.person("bob")
    api.bank.clock.move(hours=1)
    await api.send(ann, "bob@example.org", "1")
    api.bank.clock.move(hours=1)
    await api.bank.give(owner(ann), "0.5", BTC)
    hold = await held(api, ann, "2")

    hour = [(NOW + timedelta(hours=n)).isoformat().replace("+00:00", "Z") for n in range(4)]
    assert await changes(api, ann) == ["-2", "0.5", "-1", "10"]
    assert await changes(api, ann, asset="USDT") == ["-2", "-1", "10"]
    assert await changes(api, ann, asset="NOPE") == []
    assert await changes(api, ann, kinds=["DEPOSIT"]) == ["0.5", "10"]
    assert await changes(api, ann, kinds=["DEPOSIT", "TRANSFER"], asset="USDT") == ["-1", "10"]
    assert await changes(api, ann, since=hour[1]) == ["-2", "0.5", "-1"]
    assert await changes(api, ann, since=hour[1], until=hour[2]) == ["-1"]
    assert await changes(api, ann, until=hour[1]) == ["10"]
    assert await changes(api, ann, states=["PENDING"]) == ["-2"]
    await api.bank.holds.void(hold.id)
    assert await changes(api, ann, states=["PENDING"]) == []
    assert await changes(api, ann, states=["RELEASED"]) == ["-2"]
    assert await changes(api, ann, states=["POSTED"], asset="USDT") == ["2", "-1", "10"]


async def test_a_wallets_filter_names_no_other_asset(api: WalletApi):
    ann = await api.person("ann", "10")
    query = """query ($asset: String!) { viewer { wallet(asset: "USDT") {
        transactions(filter: {asset: $asset, kinds: [DEPOSIT]}) {
            edges { node { asset } } } } } }"""

    same = await api.data(query, ann, asset="USDT")
    _, errors = await api.ask(query, ann, asset="BTC")

    assert len(same["viewer"]["wallet"]["transactions"]["edges"]) == 1
    assert errors == [("BAD_INPUT", "filter")]


@pytest.mark.parametrize("asset", ["usdt", "", "U" * 21, "\u0000", "\ud800"])
async def test_a_filter_names_what_can_be_an_asset(api: WalletApi, asset: str):
    ann = await api.person("ann", "10")

    _, errors = await api.ask(PAGE, ann, first=1, filter={"asset": asset})

    assert errors == [("BAD_INPUT", "filter")]


async def test_states_tell_what_became_of_it(api: WalletApi):
    ann = await api.person("ann", "100")
    out = house(AccountKind.FEES, USDT)
    posted, voided = await held(api, ann, "1"), await held(api, ann, "2")
    expired = await held(api, ann, "3", expires_at=NOW + timedelta(minutes=1))
    await held(api, ann, "4")
    await api.bank.holds.post(posted.id, to=out)
    await api.bank.holds.void(voided.id)
    api.bank.clock.move(minutes=2)
    assert await api.bank.holds.expire_due() == 1
    async with api.bank.works.begin() as work:
        fee = ledger.fee(owner(ann), USDT, Decimal(5), at=NOW)
        assert isinstance(await record(work, fee), Posted)
    async with api.bank.works.begin() as work:
        back = ledger.reversal(fee, at=NOW)
        assert isinstance(await record(work, back), Posted)

    nodes = [edge["node"] for edge in (await page(api, ann))["edges"]]

    placed = {n["availableChange"]: n["state"] for n in nodes if n["kind"] == "HOLD_PLACED"}
    assert placed == {"-1": "SETTLED", "-2": "RELEASED", "-3": "EXPIRED", "-4": "PENDING"}
    assert {n["kind"]: n["state"] for n in nodes if n["kind"] != "HOLD_PLACED"} == {
        "DEPOSIT": "POSTED", "HOLD_POSTED": "POSTED", "HOLD_VOIDED": "POSTED",
        "HOLD_EXPIRED": "POSTED", "FEE": "REVERSED", "REVERSAL": "POSTED",
    }  # fmt: skip
    assert expired.expires_at is not None


async def test_a_transaction_leads_to_what_caused_it(api: WalletApi):
    ann, bob = await api.person("ann", "10"), await api.person("bob", display_name=None)
    sent = await api.send(ann, "bob@example.org", "1")
    hold = await held(api, ann, "2")
    query = """{ viewer { transactions { edges { node { id entryId kind source
        counterparty { email name } hold { id state amount reason }
        heldChange heldAfter } } } } }"""

    mine = [
        edge["node"] for edge in (await api.data(query, ann))["viewer"]["transactions"]["edges"]
    ]
    theirs = [e["node"] for e in (await api.data(query, bob))["viewer"]["transactions"]["edges"]]

    placed, transfer, deposit = mine
    assert placed["hold"] == {
        "id": placed["hold"]["id"], "state": "OPEN", "amount": "2", "reason": hold.reason,
    }  # fmt: skip
    assert (placed["heldChange"], placed["heldAfter"]) == ("2", "2")
    assert transfer["counterparty"] == {"email": "b***@e***.org", "name": None}
    assert (transfer["hold"], transfer["source"]) == (None, None)
    assert (deposit["counterparty"], deposit["source"][:7]) == (None, "faucet:")
    (received,) = theirs
    assert received["counterparty"] == {"email": "a***@e***.org", "name": "A."}
    # One entry, a transaction for each of the two.
    assert received["entryId"] == transfer["entryId"] == sent["entryId"]
    assert received["id"] != transfer["id"]


async def test_a_balance_is_explained(api: WalletApi):
    ann = await api.person("ann", "10")
    await api.person("bob")
    await api.send(ann, "bob@example.org", "1.5")
    await held(api, ann, "2")
    await api.bank.give(owner(ann), "0.25", BTC)
    query = """{ viewer { wallets { asset explain { available held
        transactions { availableChange heldChange availableAfter hold { state } }
        holds { amount reason state } } } } }"""

    btc, usdt = (await api.data(query, ann))["viewer"]["wallets"]

    assert usdt["explain"] == {
        "available": "6.5", "held": "2",
        "transactions": [
            {"availableChange": "-2", "heldChange": "2", "availableAfter": "6.5",
             "hold": {"state": "OPEN"}},
            {"availableChange": "-1.5", "heldChange": "0", "availableAfter": "8.5", "hold": None},
            {"availableChange": "10", "heldChange": "0", "availableAfter": "10", "hold": None},
        ],
        "holds": [{"amount": "2", "reason": "withdrawal", "state": "OPEN"}],
    }  # fmt: skip
    assert (btc["explain"]["available"], btc["explain"]["holds"]) == ("0.25", [])


async def test_more_wallets_and_transactions_are_no_more_looks(api: WalletApi):
    ann = await api.person("ann", "10")
    for name in ("bob", "eve", "joe"):
        await api.person(name)
    query = """{ viewer { wallets { assetDetails { name }
        transactions(first: 50) { edges { node { counterparty { name } hold { state } } } }
        explain { transactions { counterparty { name } hold { state } } holds { id } } } } }"""
    await api.send(ann, "bob@example.org", "1")
    await held(api, ann, "1")
    with counted(api.bank.database) as few:
        await api.data(query, ann)
    await api.bank.give(owner(ann), "1", BTC)
    for name in ("bob", "eve", "joe"):
        await api.send(ann, f"{name}@example.org", "1")
        await api.send(ann, f"{name}@example.org", "0.1", asset="BTC")
        await held(api, ann, "0.5")

    with counted(api.bank.database) as many:
        await api.data(query, ann)

    assert len(many) == len(few)
    assert len(many) < 25


async def test_limits_are_shown_before_they_are_met(api: WalletApi):
    ann = await api.person("ann", "10")

    shown = await api.data('{ viewer { transferLimits(asset: "USDT") { limit } } }', ann)
    unknown = await api.ask('{ viewer { transferLimits(asset: "NOPE") { limit } } }', ann)

    assert shown == {"viewer": {"transferLimits": []}}  # this one's are unlimited
    assert unknown[1] == [("UNKNOWN_ASSET", "asset")]
