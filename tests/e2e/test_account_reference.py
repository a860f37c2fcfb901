"""The reference's examples about accounts, on people made for them: what changes, what tells."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from tests.e2e.account_examples import (
    MUTATIONS,
    READY,
    People,
    by_an_administrator,
    run,
    succeeded,
)
from tests.e2e.reference import Shown, operations
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import Service

pytestmark = pytest.mark.xdist_group("sandbox")

SUBSCRIPTIONS = {
    name: shown for name, shown in operations("subscriptions.md").items() if shown.user
}
# They need more than somebody who may: told below, one by one; holds in test_stuck_holds.py.
APART = {"eraseMyAccount", "adminDecideProposal", "adminVoidHold"}
MADE_UP_IDS = {"userId", "sessionId", "proposalId", "entryId", "holdId"}
MADE_UP = [
    name
    for name, shown in MUTATIONS.items()
    if shown.variables.get("input", {}).keys() & MADE_UP_IDS
]


@pytest.fixture
def people(sandbox: Sandbox) -> Iterator[People]:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield People(sandbox, Service("ours", http))


def test_every_mutation_is_run():
    assert READY.keys() | APART == MUTATIONS.keys()
    assert len(MADE_UP) == 17


@pytest.mark.parametrize("name", READY)
async def test_a_mutation_succeeds(name: str, people: People):
    caller, given = await READY[name](people)
    ids = given if name != "markAllNotificationsRead" else {}

    answer = await run(name, caller, **ids)

    assert succeeded(name, answer), answer
    assert "code" not in answer


async def test_an_account_is_marked_and_stays(people: People):
    treasurer = people.staff("treasury")  # nobody sends them money: who has some stays
    try:
        answer = await run("eraseMyAccount", treasurer)
        assert answer["viewer"]["state"] == "ERASING"
        assert answer["viewer"]["eraseAfter"] is not None
    finally:
        answer = await run("withdrawErasure", treasurer)
    assert answer["viewer"] == {"state": "ACTIVE", "eraseAfter": None}


async def test_who_proposes_does_not_decide(people: People):
    caller, target = await by_an_administrator(people)
    proposed = await run("adminProposeAdministrator", caller, **target)

    again = people.staff("admin")
    answer = await run("adminDecideProposal", again, proposalId=proposed["proposal"]["id"])

    assert (answer["__typename"], answer["code"]) == ("NeedsSecondPerson", "NEEDS_SECOND_PERSON")


@pytest.mark.parametrize("name", MADE_UP)
async def test_ids_that_are_made_up_find_nothing(name: str, sandbox: Sandbox):
    shown = MUTATIONS[name]

    answer = (await shown.caller(sandbox).told(shown.document, **shown.variables))[name]

    assert (answer["__typename"], answer["code"]) == ("NotFound", "NOT_FOUND")


@pytest.mark.parametrize("name", [name for name, shown in MUTATIONS.items() if shown.second_factor])
async def test_a_step_up_is_asked_for(name: str, people: People):
    caller = people.staff(MUTATIONS[name].user, second_factor=False)

    answer = await run(name, caller)

    assert answer["__typename"] == "StepUpRequired"
    assert (answer["methods"], answer["maxAgeSeconds"]) == (["totp"], 300)


@pytest.mark.parametrize("name", MUTATIONS)
def test_its_curl_without_a_token_is_nobody(name: str, sandbox: Sandbox):
    url = sandbox.addresses["graphql"]

    answer = httpx.post(url, json=MUTATIONS[name].body, timeout=10).json()

    assert "errors" not in answer
    assert answer["data"][name]["code"] == "UNAUTHENTICATED"


async def first_value(
    ws: ClientConnection, shown: Shown, cause: Callable[[], Awaitable[object]]
) -> dict[str, Any]:
    """Of a subscription that tells what happens from now on, when nothing says when now is."""
    payload = {"query": shown.document, "variables": shown.variables}
    await ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    told = asyncio.ensure_future(ws.recv())
    try:
        async with asyncio.timeout(30):
            while not told.done():
                await cause()
                await asyncio.wait({told}, timeout=1)
    finally:
        told.cancel()
    message = json.loads(told.result())
    assert (message["type"], "errors" in message["payload"]) == ("next", False), message
    ((_, value),) = message["payload"]["data"].items()
    assert isinstance(value, dict)
    return value


async def test_events_of_the_account_are_told(people: People):
    caller = await people.somebody()

    async with caller.socket() as ws:
        value = await first_value(
            ws, SUBSCRIPTIONS["accountEvents"], lambda: run("updateProfile", caller)
        )

    assert (value["__typename"], value["type"]) == ("ProfileUpdatedEvent", "profile.updated")
    assert value["profile"] == {"displayName": "Ann"}
    assert value["cursor"]


async def test_a_notification_is_told(people: People):
    caller = await people.somebody()

    async with caller.socket() as ws:
        value = await first_value(
            ws, SUBSCRIPTIONS["notificationAdded"], lambda: people.again(caller)
        )

    assert value["topic"] == "SECURITY"
    assert value["title"]


async def test_a_revoked_session_is_told(people: People):
    caller = await people.somebody()

    async def revoke() -> None:
        await people.again(caller)
        await run("revokeOtherSessions", caller)

    async with caller.socket() as ws:
        value = await first_value(ws, SUBSCRIPTIONS["sessionRevoked"], revoke)

    assert value["deviceId"].startswith("device-")
    assert value["endedBy"]


async def test_a_wallet_is_told_as_it_is_and_as_it_becomes(people: People):
    caller = await people.somebody()
    shown = SUBSCRIPTIONS["balanceUpdated"]

    async def nothing() -> None:
        pass

    async with caller.socket() as ws:
        now = await first_value(ws, shown, nothing)
        await asyncio.to_thread(people.give, caller, "7.25", "USDT")
        async with asyncio.timeout(30):
            after = json.loads(await ws.recv())["payload"]["data"]["balanceUpdated"]

    assert (now["asset"], now["available"]) == ("USDT", "0")
    assert (after["available"], after["held"], after["total"]) == ("7.25", "0", "7.25")


async def test_a_statement_is_followed_until_it_can_be_downloaded(people: People):
    caller = await people.somebody()
    answer = await run("requestStatement", caller)
    shown = SUBSCRIPTIONS["statementUpdated"]
    payload = {"query": shown.document, "variables": {"id": answer["statement"]["id"]}}

    seen = []
    async with caller.socket() as ws, asyncio.timeout(30):
        await ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        while (message := json.loads(await ws.recv()))["type"] == "next":
            seen.append(message["payload"]["data"]["statementUpdated"])

    assert message["type"] == "complete"
    assert [each["progress"] for each in seen] == sorted(each["progress"] for each in seen)
    assert (seen[-1]["state"], seen[-1]["progress"]) == ("READY", 1.0)
    host = people.sandbox.addresses["graphql"].removesuffix("/graphql")
    async with httpx.AsyncClient(trust_env=False) as http:
        file = await http.get(host + seen[-1]["download"]["url"])
    assert file.status_code == 200
    assert file.text.startswith("time,entry,kind,asset,")


def test_every_subscription_of_an_account_is_followed():
    assert SUBSCRIPTIONS.keys() == {
        "accountEvents", "balanceUpdated", "notificationAdded", "sessionRevoked",
        "statementUpdated",
    }  # fmt: skip
