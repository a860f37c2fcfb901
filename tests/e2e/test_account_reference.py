"""The reference's examples about accounts, on people made for them: what changes, what tells."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from tests.e2e.reference import Shown, operations
from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller, demo_token
from tests.front_door.test_dev import dev
from tests.sandbox.identity.service import Service
from tests.world import eventually

pytestmark = pytest.mark.xdist_group("sandbox")

MUTATIONS = operations("mutations.md")
SUBSCRIPTIONS = {
    name: shown for name, shown in operations("subscriptions.md").items() if shown.user
}
OWN = "{ viewer { id sessions { id current } notifications(first: 5) { edges { node { id } } } } }"


class People:
    """Who the examples are run by, and on."""

    def __init__(self, sandbox: Sandbox, firebase: Service) -> None:
        self.sandbox = sandbox
        self._firebase = firebase
        self._addresses: dict[Caller, str] = {}

    async def somebody(self) -> Caller:
        """Signed up and known to the product."""
        signed = self._firebase.sign_up()
        caller = self._device(signed["idToken"])
        self._addresses[caller] = signed["email"]
        await caller.told(OWN)
        return caller

    async def again(self, caller: Caller) -> Caller:
        """The same person from a device never seen."""
        signed = self._firebase.sign_in(self._addresses[caller])
        device = self._device(signed["idToken"])
        await device.told(OWN)
        return device

    def give(self, caller: Caller, amount: str, asset: str) -> None:
        """Play money, by the command that people type."""
        said = dev(
            *("faucet", self._addresses[caller], asset, amount),
            f"--data-dir={self.sandbox.data_dir}",
            OKD_PYTHON=sys.executable,
        )
        assert said.returncode == 0, said.stderr

    def staff(self, user: str, *, second_factor: bool = True) -> Caller:
        return self._device(demo_token(self.sandbox, user, second_factor=second_factor))

    def _device(self, token: str) -> Caller:
        return Caller(self.sandbox, token, f"device-{uuid4()}")


@pytest.fixture
def people(sandbox: Sandbox) -> Iterator[People]:
    with httpx.Client(base_url=sandbox.addresses["identity"], trust_env=False) as http:
        yield People(sandbox, Service("ours", http))


async def own(caller: Caller) -> dict[str, Any]:
    return dict((await caller.told(OWN))["viewer"])


async def run(name: str, caller: Caller, **given: object) -> dict[str, Any]:
    """The mutation's example, with the ids it needs in the place of those made up."""
    variables = dict(MUTATIONS[name].variables)
    if given:
        assert given.keys() <= variables["input"].keys()
        variables["input"] = variables["input"] | given
    return dict((await caller.told(MUTATIONS[name].document, **variables))[name])


def succeeded(name: str, answer: dict[str, Any]) -> bool:
    return bool(answer["__typename"] == f"{name[0].upper()}{name[1:]}Success")


Ready = tuple[Caller, dict[str, object]]


async def on_their_own(people: People) -> Ready:
    return await people.somebody(), {}


async def beside_another_session(people: People) -> Ready:
    caller = await people.somebody()
    await people.again(caller)
    return caller, {}


async def with_a_session_to_end(people: People) -> Ready:
    caller, _ = await beside_another_session(people)
    (other,) = [each for each in (await own(caller))["sessions"] if not each["current"]]
    return caller, {"sessionId": other["id"]}


async def with_a_notification(people: People) -> Ready:
    caller, _ = await beside_another_session(people)

    async def arrived() -> bool:
        return bool((await own(caller))["notifications"]["edges"])

    await eventually(arrived)
    edges = (await own(caller))["notifications"]["edges"]
    return caller, {"ids": [edge["node"]["id"] for edge in edges]}


async def with_money(people: People) -> Ready:
    caller = await people.somebody()
    people.give(caller, "10", "USDT")
    return caller, {}


async def proven(people: People) -> Ready:
    # A second factor enrolled just now does not count yet; the demo user's does.
    return people.staff("verified"), {}


async def about_somebody(people: People) -> dict[str, object]:
    return {"userId": (await own(await people.somebody()))["id"]}


async def by_compliance(people: People) -> Ready:
    return people.staff("compliance"), await about_somebody(people)


async def by_an_administrator(people: People) -> Ready:
    return people.staff("admin"), await about_somebody(people)


async def about_somebody_frozen(people: People) -> Ready:
    caller, target = await by_compliance(people)
    assert succeeded("adminFreezeUser", await run("adminFreezeUser", caller, **target))
    return caller, target


async def about_somebody_with_the_role(people: People) -> Ready:
    caller, target = await by_an_administrator(people)
    assert succeeded("adminGrantRole", await run("adminGrantRole", caller, **target))
    return caller, target


def by_a_new_key() -> dict[str, object]:
    return {"idempotencyKey": str(uuid4())}


async def by_treasury(people: People) -> Ready:
    return people.staff("treasury"), await about_somebody(people) | by_a_new_key()


async def proposed_by(caller: Caller, target: dict[str, object]) -> dict[str, object]:
    answer = await run("adminProposeAdjustment", caller, **target)
    assert succeeded("adminProposeAdjustment", answer), answer
    return {"proposalId": answer["proposal"]["id"]}


async def about_ones_own_proposal(people: People) -> Ready:
    caller, target = await by_treasury(people)
    return caller, await proposed_by(caller, target)


async def about_anothers_proposal(people: People) -> Ready:
    _, proposal = await about_ones_own_proposal(people)
    return people.staff("admin"), proposal


async def adjusted(people: People, target: dict[str, object]) -> object:
    """Somebody gets what the example proposes; the entry that it became."""
    proposal = await proposed_by(people.staff("treasury"), target | by_a_new_key())
    answer = await run("adminDecideAdjustment", people.staff("admin"), **proposal)
    assert succeeded("adminDecideAdjustment", answer), answer
    return answer["proposal"]["postedAs"]


async def about_an_entry(people: People) -> Ready:
    entry = await adjusted(people, await about_somebody(people))
    return people.staff("treasury"), {"entryId": entry} | by_a_new_key()


async def about_a_wallet(people: People) -> Ready:
    target = await about_somebody(people)
    await adjusted(people, target)
    return people.staff("compliance"), target


async def about_a_frozen_wallet(people: People) -> Ready:
    caller, target = await about_a_wallet(people)
    assert succeeded("adminFreezeWallet", await run("adminFreezeWallet", caller, **target))
    return caller, target


READY: dict[str, Callable[[People], Awaitable[Ready]]] = {
    "updateProfile": on_their_own,
    "requestStatement": on_their_own,
    "updateSettings": on_their_own,
    "endSession": on_their_own,
    "revokeSession": with_a_session_to_end,
    "revokeOtherSessions": beside_another_session,
    "freezeMyAccount": on_their_own,
    "exportMyData": proven,
    "withdrawErasure": on_their_own,
    "markNotificationsRead": with_a_notification,
    "markAllNotificationsRead": with_a_notification,
    "transferFunds": with_money,
    "adminRevealUser": by_compliance,
    "adminFreezeUser": by_compliance,
    "adminUnfreezeUser": about_somebody_frozen,
    "adminEndSessions": by_compliance,
    "adminAddNote": by_compliance,
    "adminGrantRole": by_an_administrator,
    "adminWithdrawRole": about_somebody_with_the_role,
    "adminProposeAdministrator": by_an_administrator,
    "adminProposeAdjustment": by_treasury,
    "adminProposeReversal": about_an_entry,
    "adminDecideAdjustment": about_anothers_proposal,
    "adminWithdrawAdjustment": about_ones_own_proposal,
    "adminFreezeWallet": about_a_wallet,
    "adminUnfreezeWallet": about_a_frozen_wallet,
}
# They need more than somebody who may: told below, one by one; holds in test_stuck_holds.py.
APART = {"eraseMyAccount", "adminDecideProposal", "adminVoidHold"}
MADE_UP_IDS = {"userId", "sessionId", "proposalId", "entryId", "holdId"}
MADE_UP = [
    name
    for name, shown in MUTATIONS.items()
    if shown.variables.get("input", {}).keys() & MADE_UP_IDS
]


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
