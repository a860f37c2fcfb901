"""A hold that nobody resolves any more: staff finds it, gives it back, and its owner is told."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from domain.wallets.model import Hold
from schema._ids import encode_id
from tests.e2e.books import books_of, user_id_of
from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller, beginning, demo_token
from tests.sandbox.identity.service import Service
from tests.wallets.conftest import USDT

pytestmark = pytest.mark.xdist_group("sandbox")

STUCK = """{ admin { ledger { stuckHolds(olderThanSeconds: 3600, reason: "order", first: 100) {
  edges { node { id userId asset amount state resolvedAt posted } } } } } }"""
VOID = """mutation ($id: ID!) {
  adminVoidHold(input: {holdId: $id, reason: "Ticket 4714: its order was never sent."}) {
    __typename
    ... on AdminVoidHoldSuccess { hold { id asset amount posted state resolvedAt } }
    ... on UserError { code path }
    ... on HoldNotOpen { state } } }"""
WALLET = '{ viewer { wallet(asset: "USDT") { available held } } }'
EVENTS = """subscription ($after: String) { accountEvents(after: $after) { __typename type
  ... on WalletHoldVoidedEvent { holdId asset availableChange heldChange available held } } }"""
BALANCE = 'subscription { balanceUpdated(asset: "USDT") { available held total } }'


@pytest.fixture
def firebase(sandbox: Sandbox) -> Iterator[Service]:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield Service("ours", http)


async def stuck_hold(sandbox: Sandbox, viewer_id: str) -> Hold:
    """4 of 10 USDT, for an order that somebody placed an hour and a minute ago."""
    async with books_of(sandbox, ago=timedelta(minutes=61)) as bank:
        owner = user_id_of(viewer_id)
        await bank.give(owner, "10")
        hold = await bank.holds.reserve(owner, USDT, Decimal(4), reason="order")
        assert isinstance(hold, Hold), hold
        return hold


async def found(staff: Caller, viewer_id: str) -> list[dict[str, Any]]:
    """What is stuck of somebody's."""
    edges = (await staff.told(STUCK))["admin"]["ledger"]["stuckHolds"]["edges"]
    return [edge["node"] for edge in edges if edge["node"]["userId"] == viewer_id]


async def follow(ws: ClientConnection, name: str, query: str, **variables: object) -> None:
    payload = {"query": query, "variables": variables}
    await ws.send(json.dumps({"id": name, "type": "subscribe", "payload": payload}))


async def next_of(ws: ClientConnection, **counts: int) -> dict[str, list[dict[str, Any]]]:
    """So many values of each subscription, and no more; what the inbox is told comes whenever."""
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in counts}
    async with asyncio.timeout(30):
        while any(len(told[name]) < count for name, count in counts.items()):
            message = json.loads(await ws.recv())
            if message["type"] == "ping":
                continue
            assert message["type"] == "next", message
            ((_, value),) = message["payload"]["data"].items()
            if value.get("type") != "notification.added":
                told[message["id"]].append(value)
    assert {name: len(values) for name, values in told.items()} == counts
    return told


async def test_a_stuck_hold_is_found_given_back_once_and_told(sandbox: Sandbox, firebase: Service):
    ann = Caller(sandbox, firebase.sign_up()["idToken"], "phone-0007")
    viewer_id = (await ann.told("{ viewer { id } }"))["viewer"]["id"]
    hold = await stuck_hold(sandbox, viewer_id)
    hold_id = encode_id("Hold", hold.id)
    staff = Caller(sandbox, demo_token(sandbox, "treasury", second_factor=True), "desk-0002")
    assert await found(staff, viewer_id) == [
        {
            "id": hold_id, "userId": viewer_id, "asset": "USDT", "amount": "4",
            "state": "OPEN", "resolvedAt": None, "posted": "0",
        }
    ]  # fmt: skip

    async with ann.socket() as ws:
        await follow(ws, "events", EVENTS, after=beginning(viewer_id))
        await follow(ws, "balance", BALANCE)
        before = await next_of(ws, events=4, balance=1)
        voided = (await staff.told(VOID, id=hold_id))["adminVoidHold"]
        after = await next_of(ws, events=1, balance=1)
    again = Caller(sandbox, demo_token(sandbox, "admin", second_factor=True), "desk-0003")
    refused = (await again.told(VOID, id=hold_id))["adminVoidHold"]

    assert [event["type"] for event in before["events"]] == [
        "user.created", "session.created", "wallet.deposited", "wallet.hold_placed",
    ]  # fmt: skip
    assert before["balance"] == [{"available": "6", "held": "4", "total": "10"}]
    assert voided["hold"].pop("resolvedAt") is not None
    assert voided == {
        "__typename": "AdminVoidHoldSuccess",
        "hold": {"id": hold_id, "asset": "USDT", "amount": "4", "posted": "0", "state": "VOIDED"},
    }
    assert after == {
        "events": [
            {
                "__typename": "WalletHoldVoidedEvent", "type": "wallet.hold_voided",
                "holdId": hold_id, "asset": "USDT", "availableChange": "4", "heldChange": "-4",
                "available": "10", "held": "0",
            }
        ],
        "balance": [{"available": "10", "held": "0", "total": "10"}],
    }  # fmt: skip
    assert refused == {
        "__typename": "HoldNotOpen", "code": "HOLD_NOT_OPEN", "path": None, "state": "VOIDED",
    }  # fmt: skip
    wallet = {"available": "10", "held": "0"}
    assert (await ann.told(WALLET))["viewer"]["wallet"] == wallet
    assert await found(staff, viewer_id) == []


async def test_a_hold_is_not_given_back_without_a_step_up(sandbox: Sandbox, firebase: Service):
    ann = Caller(sandbox, firebase.sign_up()["idToken"], "phone-0008")
    viewer_id = (await ann.told("{ viewer { id } }"))["viewer"]["id"]
    hold_id = encode_id("Hold", (await stuck_hold(sandbox, viewer_id)).id)

    for caller, refusal in (
        (Caller(sandbox, demo_token(sandbox, "treasury", second_factor=False), "desk-0004"),
         "STEP_UP_REQUIRED"),
        (ann, "FORBIDDEN"),
    ):  # fmt: skip
        answer = (await caller.told(VOID, id=hold_id))["adminVoidHold"]
        assert answer["code"] == refusal

    wallet = {"available": "6", "held": "4"}
    assert (await ann.told(WALLET))["viewer"]["wallet"] == wallet
