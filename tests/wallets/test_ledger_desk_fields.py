"""The back office for money through the schema: by role, by two, proven and logged."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Role, Viewer
from domain.users.model import ActivityResult
from domain.wallets.model import JournalEntry, available
from schema._ids import encode_id
from tests.users.api import reason, refused, user_id
from tests.users.conftest import book
from tests.users.people import NOW
from tests.wallets.conftest import USDT
from tests.wallets.office import WHY, Office, office

__all__ = ["book", "office"]

PROPOSAL = """proposal { id kind userId asset amount entryId reason state proposedBy decidedBy
    decidedAt postedAs expiresAt }"""
ENTRY = """id kind at actorId source reverses reversedBy holdId details { name value }
    postings { amount sequence balance account { kind asset userId name } }"""


def wish(owner: UserId, amount: str, **changes: Any) -> dict[str, Any]:
    key = str(uuid4())
    return {
        "userId": encode_id("User", owner), "asset": "USDT", "amount": amount, "reason": WHY,
        "idempotencyKey": key, **changes,
    }  # fmt: skip


async def ledger(office: Office, viewer: Viewer, selection: str, **variables: Any) -> Any:
    declared = {"id": "ID!", "entries": "LedgerEntryFilter", "accounts": "LedgerAccountFilter"}
    head = ", ".join(f"${name}: {declared[name]}" for name in variables)
    query = f"query {f'({head})' if head else ''} {{ admin {{ ledger {{ {selection} }} }} }}"
    return (await office.data(query, viewer, **variables))["admin"]["ledger"]


async def test_an_adjustment_from_wish_to_entry(office: Office):
    ann = await office.person()
    one, two = await office.treasurer(), await office.admin()

    asked = wish(ann, "5.50")
    made = (await office.change(one, "adminProposeAdjustment", PROPOSAL, **asked))["proposal"]
    waiting = await ledger(office, two, "adjustments(state: OPEN) { edges { node { id } } }")
    own = await office.change(one, "adminDecideAdjustment", proposalId=made["id"], approve=True)
    decided = (
        await office.change(
            two, "adminDecideAdjustment", PROPOSAL, proposalId=made["id"], approve=True
        )
    )["proposal"]
    entry = (await ledger(office, two, f"entry(id: $id) {{ {ENTRY} }}", id=decided["postedAs"]))[
        "entry"
    ]

    assert made == {
        "id": made["id"], "kind": "ADJUSTMENT", "userId": encode_id("User", ann),
        "asset": "USDT", "amount": "5.5", "entryId": None, "reason": WHY, "state": "OPEN",
        "proposedBy": user_id(one), "decidedBy": None, "decidedAt": None, "postedAs": None,
        "expiresAt": "2026-11-29T15:00:00.000Z",
    }  # fmt: skip
    assert waiting == {"adjustments": {"edges": [{"node": {"id": made["id"]}}]}}
    assert reason(own) == refused("NEEDS_SECOND_PERSON")
    assert (decided["state"], decided["decidedBy"]) == ("APPROVED", user_id(two))
    assert entry["kind"] == "ADJUSTMENT"
    assert entry["actorId"] == user_id(two)
    lines = {
        (line["account"]["kind"], line["amount"], line["balance"]) for line in entry["postings"]
    }
    assert lines == {("AVAILABLE", "5.5", "5.5"), ("ADJUSTMENT", "-5.5", None)}


async def test_a_reversal_is_decided_like_an_adjustment(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    one, two = await office.treasurer(), await office.admin()
    sent = await office.send(ann, bob, "4")
    assert isinstance(sent, JournalEntry)
    asked = {
        "entryId": encode_id("LedgerEntry", sent.id), "reason": WHY,
        "idempotencyKey": str(uuid4()),
    }  # fmt: skip

    made = (await office.change(one, "adminProposeReversal", PROPOSAL, **asked))["proposal"]
    decided = (
        await office.change(
            two, "adminDecideAdjustment", PROPOSAL, proposalId=made["id"], approve=True
        )
    )["proposal"]
    found = await ledger(
        office,
        two,
        f"entries(filter: $entries) {{ edges {{ node {{ {ENTRY} }} }} }}",
        entries={"userId": encode_id("User", ann), "kinds": ["REVERSAL", "TRANSFER"]},
    )

    assert (made["kind"], made["amount"], made["entryId"]) == (
        "REVERSAL", None, asked["entryId"],
    )  # fmt: skip
    undone, original = [edge["node"] for edge in found["entries"]["edges"]]
    assert (undone["id"], undone["reverses"]) == (decided["postedAs"], asked["entryId"])
    assert original["reversedBy"] == undone["id"]
    assert {each["name"] for each in original["details"]} == {"recipient", "sender"}
    assert (await office.has(ann), await office.has(bob)) == ("10", "0")


async def test_what_can_be_wrong_with_a_wish(office: Office):
    ann, one, two = await office.person(amount="1"), await office.treasurer(), await office.admin()
    key = str(uuid4())

    async def propose(**changes: Any) -> dict[str, Any]:
        answer = await office.change(one, "adminProposeAdjustment", **(wish(ann, "-5") | changes))
        return reason(answer) if "code" in answer else {}

    assert await propose(userId="x") == refused("BAD_INPUT", "userId")
    assert await propose(userId=user_id(one)) == refused("OWN_MONEY")
    assert await propose(userId=encode_id("User", new_uuid7())) == refused("NOT_FOUND", "userId")
    assert await propose(asset="NOPE") == refused("UNKNOWN_ASSET", "asset")
    assert await propose(amount="0") == refused("BAD_INPUT", "amount")
    assert await propose(reason=" ") == refused("BAD_INPUT", "reason")
    assert await propose(idempotencyKey=key) == {}
    assert await propose(idempotencyKey=key, amount="-6") == refused(
        "IDEMPOTENCY_KEY_REUSED", "idempotencyKey"
    )
    (made,) = (await ledger(office, two, "adjustments { edges { node { id } } }"))["adjustments"][
        "edges"
    ]
    proposal = made["node"]["id"]
    short = await office.change(
        two, "adminDecideAdjustment",
        "__typename } ... on InsufficientFunds { asset available",
        proposalId=proposal, approve=True,
    )  # fmt: skip
    assert (short["code"], short["asset"], short["available"]) == (
        "INSUFFICIENT_FUNDS", "USDT", "1",
    )  # fmt: skip
    other = await office.change(two, "adminWithdrawAdjustment", proposalId=proposal)
    assert reason(other) == refused("BAD_INPUT", "proposalId")
    back = await office.change(
        one, "adminWithdrawAdjustment", "proposal { state }", proposalId=proposal
    )
    assert back["proposal"] == {"state": "WITHDRAWN"}
    late = await office.change(two, "adminDecideAdjustment", proposalId=proposal, approve=False)
    assert reason(late) == refused("ALREADY_DECIDED")
    unknown = encode_id("LedgerProposal", new_uuid7())
    for name, given in (
        ("adminDecideAdjustment", {"proposalId": unknown, "approve": True}),
        ("adminWithdrawAdjustment", {"proposalId": unknown}),
    ):
        assert reason(await office.change(two, name, **given)) == refused("NOT_FOUND", "proposalId")


async def test_a_wallet_is_frozen_and_unfrozen(office: Office):
    ann = await office.person(amount="3")
    compliance = await office.staff("uid-compliance", Role.COMPLIANCE)
    given = {"userId": encode_id("User", ann), "asset": "USDT", "reason": WHY}
    shown = "account { kind asset userId balance sequence frozen }"

    frozen = await office.change(compliance, "adminFreezeWallet", shown, **given)
    listed = await ledger(
        office,
        compliance,
        "accounts(filter: $accounts) { edges { node { id frozen } } }",
        accounts={"frozen": True, "asset": "USDT", "kinds": ["AVAILABLE"]},
    )
    thawed = await office.change(compliance, "adminUnfreezeWallet", shown, **given)
    nothing = await office.change(compliance, "adminFreezeWallet", **{**given, "asset": "BTC"})

    assert frozen["account"] == {
        "kind": "AVAILABLE", "asset": "USDT", "userId": given["userId"], "balance": "3",
        "sequence": 1, "frozen": True,
    }  # fmt: skip
    account = encode_id("LedgerAccount", available(ann, USDT).id)
    assert listed["accounts"]["edges"] == [{"node": {"id": account, "frozen": True}}]
    assert thawed["account"]["frozen"] is False
    assert reason(nothing) == refused("NOT_FOUND", "userId")
    one = await ledger(office, compliance, "account(id: $id) { balance frozen }", id=account)
    assert one["account"] == {"balance": "3", "frozen": False}


async def test_a_stuck_hold_is_found_and_given_back(office: Office):
    ann, one = await office.person(amount="3"), await office.treasurer()
    hold = await office.hold(ann, "2")
    hold_id = encode_id("Hold", hold.id)
    young = await office.change(one, "adminVoidHold", holdId=hold_id, reason=WHY)
    office.clock.move(hours=2)
    one = await again(office, "uid-treasury")

    found = await ledger(
        office, one, "stuckHolds(olderThanSeconds: 3600) { edges { node { id userId amount } } }"
    )
    given = await office.change(
        one, "adminVoidHold", "hold { state resolvedAt }", holdId=hold_id, reason=WHY
    )
    late = await office.change(
        one, "adminVoidHold", "__typename } ... on HoldNotOpen { state",
        holdId=hold_id, reason="again",
    )  # fmt: skip

    assert reason(young) == refused("BAD_INPUT", "holdId")
    node = {"id": hold_id, "userId": encode_id("User", ann), "amount": "2"}
    assert found["stuckHolds"]["edges"] == [{"node": node}]
    assert given["hold"] == {"state": "VOIDED", "resolvedAt": "2026-11-22T17:00:00.000Z"}
    assert (late["code"], late["state"]) == ("HOLD_NOT_OPEN", "VOIDED")
    missing = await office.change(
        one, "adminVoidHold", holdId=encode_id("Hold", new_uuid7()), reason=WHY
    )
    assert reason(missing) == refused("NOT_FOUND", "holdId")


async def again(office: Office, uid: str) -> Viewer:
    """The same person, signed in with the second factor just now."""
    return await office.book.arrive(
        uid,
        email=f"{uid}@okd.example",
        second_factor="totp",
        signed_in_at=office.clock.now(),
        issued_at=office.clock.now(),
        expires_at=office.clock.now() + timedelta(hours=1),
    )


async def test_the_trial_balance(office: Office):
    await office.person(amount="3")
    staff = await office.treasurer()

    found = await ledger(
        office,
        staff,
        "trialBalance { asOf position balanced assets { asset debits credits balance"
        " rows { kind name accounts debits credits balance } } }",
    )

    shown = found["trialBalance"]
    assert (shown["asOf"], shown["balanced"]) == ("2026-11-22T15:00:00.000Z", True)
    assert int(shown["position"]) > 0
    assert shown["assets"] == [{
        "asset": "USDT", "debits": "3", "credits": "3", "balance": "0",
        "rows": [
            {"kind": "AVAILABLE", "name": "", "accounts": 1, "debits": "0", "credits": "3",
             "balance": "3"},
            {"kind": "FAUCET", "name": "", "accounts": 1, "debits": "3", "credits": "0",
             "balance": "-3"},
        ],
    }]  # fmt: skip


async def test_ids_and_cursors_of_something_else(office: Office):
    staff = await office.treasurer()
    user = user_id(staff)
    unknown = encode_id("LedgerEntry", new_uuid7())

    async def code(field: str) -> tuple[str, str | None]:
        _, (error,) = await office.ask(f"{{ admin {{ ledger {{ {field} }} }} }}", staff)
        return tuple(error)

    page = "{ pageInfo { endCursor } }"
    assert await code(f'entry(id: "{user}") {{ id }}') == ("BAD_INPUT", "id")
    assert await code(f'entry(id: "{unknown}") {{ id }}') == ("NOT_FOUND", "id")
    assert await code(f'account(id: "{user}") {{ id }}') == ("BAD_INPUT", "id")
    for given, argument in (
        ('userId: "x"', "userId"), (f'accountId: "{user}"', "accountId"),
        (f'holdId: "{user}"', "holdId"), ('asset: "us dollars"', "asset"),
    ):  # fmt: skip
        assert await code(f"entries(filter: {{{given}}}) {page}") == ("BAD_INPUT", argument)
    assert await code(f'accounts(filter: {{asset: "-"}}) {page}') == ("BAD_INPUT", "asset")
    assert await code(f'accounts(filter: {{userId: "-"}}) {page}') == ("BAD_INPUT", "userId")
    assert await code(f'adjustments(after: "AAAA") {page}') == ("BAD_INPUT", "after")
    assert await code(f"stuckHolds(olderThanSeconds: -1) {page}") == (
        "BAD_INPUT", "olderThanSeconds",
    )  # fmt: skip


WANTED: dict[str, dict[str, Any]] = {
    "adminProposeAdjustment": {
        "asset": "USDT", "amount": "1", "reason": "x", "idempotencyKey": str(UUID(int=1)),
    },
    "adminProposeReversal": {
        "entryId": encode_id("LedgerEntry", UUID(int=1)), "reason": "x",
        "idempotencyKey": str(UUID(int=1)),
    },
    "adminDecideAdjustment": {
        "proposalId": encode_id("LedgerProposal", UUID(int=1)), "approve": True,
    },
    "adminWithdrawAdjustment": {"proposalId": encode_id("LedgerProposal", UUID(int=1))},
    "adminFreezeWallet": {"asset": "USDT", "reason": "x"},
    "adminUnfreezeWallet": {"asset": "USDT", "reason": "x"},
    "adminVoidHold": {"holdId": encode_id("Hold", UUID(int=1)), "reason": "x"},
}  # fmt: skip
ABOUT_SOMEBODY = {"adminProposeAdjustment", "adminFreezeWallet", "adminUnfreezeWallet"}
UNPROVEN = {"adminWithdrawAdjustment", "adminFreezeWallet"}


@pytest.mark.parametrize("name", WANTED)
async def test_who_may_not_is_refused_and_it_is_written(office: Office, name: str):
    ann = await office.person(amount="5")
    support = await office.staff("uid-support", Role.SUPPORT)
    given = WANTED[name]
    if name in ABOUT_SOMEBODY:
        given = {**given, "userId": encode_id("User", ann)}

    for _ in range(3):
        assert reason(await office.change(support, name, **given)) == refused("FORBIDDEN")

    # Once an hour: who keeps trying must not fill a log that is kept for ever.
    (line,) = await office.lines("field.denied")
    assert (line.actor_id, line.subject_id) == (support.user_id, support.user_id)
    assert (line.result, line.details) == (ActivityResult.DENIED, {"field": name})
    office.clock.move(hours=1, seconds=1)
    await office.change(support, name, **given)
    assert len(await office.lines("field.denied")) == 2
    assert await office.has(ann) == "5"
    assert await office.told(ann) == ["wallet.deposited"]


@pytest.mark.parametrize("name", sorted(WANTED.keys() - UNPROVEN))
async def test_staff_proves_that_it_is_them(office: Office, name: str):
    ann = await office.person(amount="5")
    admin = await office.staff(
        "uid-admin", Role.ADMIN, second_factor=None, signed_in_at=NOW + timedelta(seconds=2)
    )
    given = WANTED[name]
    if name in ABOUT_SOMEBODY:
        given = {**given, "userId": encode_id("User", ann)}

    assert reason(await office.change(admin, name, **given)) == refused("STEP_UP_REQUIRED")
    assert await office.has(ann) == "5"


@pytest.mark.parametrize("role", [None, Role.DEVELOPER, Role.SUPPORT])
async def test_the_books_are_for_few(office: Office, role: Role | None):
    ann = await office.person(amount="5")
    viewer = await office.staff("uid-other", *([role] if role else []))

    data, errors = await office.ask("{ admin { ledger { trialBalance { balanced } } } }", viewer)

    assert data["admin"] is None or data["admin"]["ledger"] is None
    assert [code for code, _ in errors] == ["FORBIDDEN"]
    assert await office.lines("ledger.viewed") == []
    assert await office.has(ann) == "5"
