"""The reference's mutations about accounts, and people made for each: who runs it, and on whom."""

import sys
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from tests.e2e.reference import operations
from tests.e2e.sandbox import Sandbox
from tests.e2e.test_callers import Caller, demo_token
from tests.front_door.test_dev import dev
from tests.sandbox.identity.service import Service
from tests.world import eventually

MUTATIONS = operations("mutations.md")
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
