"""Correcting the books by two: never alone, never twice, whatever happens in between."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import asyncpg
import pytest

from domain.kernel.errors import AlreadyDecided, BadInput, NeedsSecondPerson, NotFound
from domain.kernel.failures import Conflict, Unavailable
from domain.kernel.idempotency import IdempotencyKeyReused
from domain.kernel.ids import UserId, new_uuid7
from domain.kernel.viewer import Viewer
from domain.users.model import ActivityResult
from domain.wallets.desk import Decisions
from domain.wallets.desk.decisions import DecideProposal
from domain.wallets.desk.errors import OwnMoney, ProposalExpired
from domain.wallets.desk.model import (
    LedgerProposal,
    LedgerProposalId,
    LedgerProposalState,
)
from domain.wallets.desk.ports import EntryQuery
from domain.wallets.errors import InsufficientFunds, UnknownAsset, WalletFrozen
from domain.wallets.model import EntryId, EntryKind
from tests.users.conftest import book
from tests.wallets.conftest import BTC, USDT
from tests.wallets.office import WHY, CutOff, Office, adjustment, office, reversal
from tests.world import DatabaseUrls

__all__ = ["book", "office"]


async def entries_of(office: Office, owner: UserId, kind: EntryKind) -> list[str | None]:
    query = EntryQuery(owner=owner, kinds=frozenset({kind}))
    return [each.source for each in await office.books.entries(query, first=100, before=None)]


async def test_two_put_money_into_a_wallet(office: Office):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()

    proposal = await office.propose(one, ann, "5.25")
    before = await office.has(ann)
    decided = await office.decide(two, proposal)

    assert (proposal.state, proposal.reason) == (LedgerProposalState.OPEN, WHY)
    assert proposal.expires_at == office.clock.now() + timedelta(days=7)
    assert before == "0"
    assert decided.state is LedgerProposalState.APPROVED
    assert (decided.decided_by, decided.decided_at) == (two.user_id, office.clock.now())
    assert await office.has(ann) == "5.25"
    entry = await office.books.entry(decided.posted_as)
    assert entry is not None
    assert (entry.kind, entry.source) == (EntryKind.ADJUSTMENT, f"adjustment:{proposal.id}")
    assert entry.actor == two.user_id
    assert await office.told(ann) == ["wallet.adjusted"]
    await office.sound()


async def test_it_is_written_who_did_what_and_why(office: Office):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()
    proposal = await office.propose(one, ann, "5")
    await office.decide(one, proposal)
    await office.decide(two, proposal)

    (proposed,) = await office.lines("adjustment.proposed")
    approved, refused = await office.lines("adjustment.approved")

    assert (proposed.actor_id, proposed.subject_id) == (one.user_id, ann)
    assert proposed.details == {
        "proposalId": str(proposal.id), "asset": "USDT", "amount": "5", "reason": WHY,
    }  # fmt: skip
    if approved.result is ActivityResult.DENIED:  # of one instant: in no order
        approved, refused = refused, approved
    assert (refused.actor_id, refused.details["code"]) == (one.user_id, "NEEDS_SECOND_PERSON")
    assert (approved.actor_id, approved.subject_id) == (two.user_id, ann)
    assert approved.result is ActivityResult.SUCCEEDED


async def test_four_eyes(office: Office):
    ann, one = await office.person(amount="5"), await office.treasurer()
    two = await office.admin()
    proposal = await office.propose(one, ann, "-1")
    about_two = await office.propose(one, UserId(two.user_id), "1")  # type: ignore[arg-type]
    own = adjustment(UserId(one.user_id), "1")  # type: ignore[arg-type]

    assert await office.decide(one, proposal) == NeedsSecondPerson()
    assert await office.decide(one, proposal, approve=False) == NeedsSecondPerson()
    assert await office.decide(two, about_two) == OwnMoney()
    assert await office.ledger.proposals.adjustment(one, own) == OwnMoney()
    unknown = DecideProposal(LedgerProposalId(new_uuid7()), approve=True)
    assert await office.ledger.decisions.decide(two, unknown) == NotFound("proposal", "proposalId")
    assert await office.has(ann) == "5"
    assert await office.told(ann) == ["wallet.deposited"]
    await office.sound()


async def test_four_eyes_are_a_rule_of_the_table_too(office: Office, database_urls: DatabaseUrls):
    ann, one = await office.person(), await office.treasurer()
    proposal = await office.propose(one, ann, "5")

    app = await asyncpg.connect(database_urls.app)
    try:
        for who in (one.user_id, ann):
            with pytest.raises(asyncpg.CheckViolationError, match="ck_proposal_eyes"):
                await app.execute(
                    "UPDATE wallets.proposal SET state = 'APPROVED', decided_by = $1,"
                    " decided_at = now(), posted_as = $2 WHERE id = $2",
                    who,
                    proposal.id,
                )
        for statement in (
            "UPDATE wallets.proposal SET amount = 500",
            "UPDATE wallets.proposal SET proposed_by = gen_random_uuid()",
            "DELETE FROM wallets.proposal",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()


async def test_what_was_decided_is_decided(office: Office):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()
    rejected = await office.propose(one, ann, "5")
    approved = await office.propose(one, ann, "3")
    withdrawn = await office.propose(one, ann, "2")

    no = await office.decide(two, rejected, approve=False)
    yes = await office.decide(two, approved)
    not_theirs = await office.ledger.proposals.withdraw(two, withdrawn.id)
    back = await office.ledger.proposals.withdraw(one, withdrawn.id)

    assert no.state is LedgerProposalState.REJECTED
    assert yes.state is LedgerProposalState.APPROVED
    assert isinstance(not_theirs, BadInput)
    assert isinstance(back, LedgerProposal)
    assert back.state is LedgerProposalState.WITHDRAWN
    for proposal in (rejected, approved, withdrawn):
        for approve in (True, False):
            assert await office.decide(two, proposal, approve=approve) == AlreadyDecided()
        assert await office.ledger.proposals.withdraw(one, proposal.id) == AlreadyDecided()
    assert await office.has(ann) == "3"
    await office.sound()


async def test_a_week_is_the_time_there_is(office: Office):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()
    late, last = await office.propose(one, ann, "5"), await office.propose(one, ann, "3")
    office.clock.move(days=7, seconds=-1)
    assert (await office.decide(two, last)).state is LedgerProposalState.APPROVED

    office.clock.move(seconds=1)

    assert await office.decide(two, late) == ProposalExpired()
    assert await office.decide(two, late, approve=False) == ProposalExpired()
    assert await office.ledger.proposals.withdraw(one, late.id) == ProposalExpired()
    assert await office.has(ann) == "3"

    async def shown(state: LedgerProposalState | None) -> list[tuple[object, object]]:
        page = await office.ledger.proposals.page(two, state, first=9, after=None)
        assert not isinstance(page, BadInput)
        return [(edge.node.id, edge.node.state) for edge in page.edges]

    assert await shown(LedgerProposalState.OPEN) == []
    assert await shown(LedgerProposalState.EXPIRED) == [(late.id, LedgerProposalState.EXPIRED)]
    assert len(await shown(None)) == 2


async def test_what_the_ledger_refuses_stays_open(office: Office):
    ann, one, two = await office.person(amount="3"), await office.treasurer(), await office.admin()
    proposal = await office.propose(one, ann, "-5")

    assert await office.decide(two, proposal) == InsufficientFunds(USDT, Decimal(3))
    await office.give(ann, "4")
    decided = await office.decide(two, proposal)

    assert decided.state is LedgerProposalState.APPROVED
    assert await office.has(ann) == "2"
    codes = [line.details.get("code") for line in await office.lines("adjustment.approved")]
    assert sorted(str(code) for code in codes) == ["INSUFFICIENT_FUNDS", "None"]
    await office.sound()


async def test_what_two_agreed_on_is_taken_from_a_frozen_wallet_that_lets_nothing_else_out(
    office: Office,
):
    ann, bob = await office.person(amount="5"), await office.person("uid-bob")
    one, two = await office.treasurer(), await office.admin()
    proposal, too_much = await office.propose(one, ann, "-3"), await office.propose(one, ann, "-3")
    await office.freeze(two, ann)

    assert await office.send(ann, bob, "1") == WalletFrozen(USDT)
    assert (await office.decide(two, proposal)).state is LedgerProposalState.APPROVED
    assert await office.decide(two, too_much) == InsufficientFunds(USDT, Decimal(2))

    assert await office.has(ann) == "2"
    assert await office.send(ann, bob, "1") == WalletFrozen(USDT)
    await office.sound()


async def test_64_decisions_at_once_are_one_entry(office: Office):
    ann, one = await office.person(amount="100"), await office.treasurer()
    checkers = [await office.admin(), await office.treasurer("uid-treasury-2")]
    proposal = await office.propose(one, ann, "-60")

    async def insist(by: Viewer) -> object:
        while True:
            try:
                return await office.decide(by, proposal)
            except (Unavailable, Conflict):  # too busy just now, and nothing was done
                continue

    answers = await asyncio.gather(*(insist(checkers[number % 2]) for number in range(64)))

    decided = [each for each in answers if isinstance(each, LedgerProposal)]
    assert len(decided) == 1
    assert [each for each in answers if each is not decided[0]] == [AlreadyDecided()] * 63
    assert await office.has(ann) == "40"
    assert await entries_of(office, ann, EntryKind.ADJUSTMENT) == [proposal.source]
    assert await office.told(ann) == ["wallet.deposited", "wallet.adjusted"]
    await office.sound()


@pytest.mark.parametrize("turn", range(3))
async def test_yes_no_and_never_mind_at_once(office: Office, turn: int):
    ann, one = await office.person(), await office.treasurer()
    two, three = await office.admin(), await office.treasurer("uid-treasury-2")
    proposal = await office.propose(one, ann, "7")
    ways = [
        office.decide(two, proposal),
        office.decide(three, proposal, approve=False),
        office.ledger.proposals.withdraw(one, proposal.id),
    ]

    answers = await asyncio.gather(*ways[turn:], *ways[:turn])

    (winner,) = [each for each in answers if isinstance(each, LedgerProposal)]
    assert answers.count(AlreadyDecided()) == 2
    approved = winner.state is LedgerProposalState.APPROVED
    assert await office.has(ann) == ("7" if approved else "0")
    assert await office.told(ann) == (["wallet.adjusted"] if approved else [])
    kept = await office.books.proposal(proposal.id)
    assert kept is not None
    assert kept.state is winner.state
    await office.sound()


async def test_a_process_that_dies_in_between_leaves_it_open(office: Office):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()
    proposal = await office.propose(one, ann, "7")
    dying = Decisions(works=CutOff(office.desk_works), clock=office.clock)

    with pytest.raises(Unavailable):
        await dying.decide(two, DecideProposal(proposal.id, approve=True))

    kept = await office.books.proposal(proposal.id)
    assert kept == proposal
    assert await office.has(ann) == "0"
    assert await office.told(ann) == []
    assert await office.lines("adjustment.approved") == []
    assert (await office.decide(two, proposal)).state is LedgerProposalState.APPROVED
    assert await office.has(ann) == "7"
    await office.sound()


async def test_a_wish_is_made_once_per_key(office: Office):
    ann, one = await office.person(), await office.treasurer()
    key = uuid4()
    wish = adjustment(ann, "5", key=key)

    made = await asyncio.gather(*(office.ledger.proposals.adjustment(one, wish) for _ in range(8)))
    other = await office.ledger.proposals.adjustment(one, replace(wish, amount=Decimal(6)))
    same = await office.ledger.proposals.adjustment(one, replace(wish, amount=Decimal("5.0")))

    assert all(isinstance(each, LedgerProposal) for each in made)
    assert made.count(made[0]) == 8
    assert same == made[0]
    assert other == IdempotencyKeyReused()
    assert len(await office.lines("adjustment.proposed")) == 1


async def test_wishes_that_make_no_sense(office: Office):
    ann, one = await office.person(), await office.treasurer()

    async def answer(**changes: object) -> object:
        wish = replace(adjustment(ann, "5"), **changes)  # type: ignore[arg-type]
        return await office.ledger.proposals.adjustment(one, wish)

    for amount in ("0", "0.0000001", "-0.0000001", "NaN", "Infinity", "1E+20"):
        refused = await answer(amount=Decimal(amount))
        assert isinstance(refused, BadInput)
        assert refused.argument == "amount"
    assert await answer(asset="NOPE") == UnknownAsset("NOPE")
    assert await answer(owner=UserId(new_uuid7())) == NotFound("account", "userId")
    for reason in ("", " ", "x" * 2001):
        refused = await answer(reason=reason)
        assert isinstance(refused, BadInput)
        assert refused.argument == "reason"
    assert await office.ledger.proposals.reversal(one, reversal(EntryId(new_uuid7()))) == NotFound(
        "entry", "entryId"
    )
    assert await office.books.proposals(None, now=office.clock.now(), first=9, before=None) == []


async def test_pages_of_proposals(office: Office):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()
    made = [await office.propose(one, ann, str(number), BTC) for number in range(1, 6)]
    await office.decide(two, made[2], approve=False)

    seen, after = [], None
    while True:
        page = await office.ledger.proposals.page(
            two, LedgerProposalState.OPEN, first=2, after=after
        )
        assert not isinstance(page, BadInput)
        seen += [edge.node.id for edge in page.edges]
        after = page.page_info.end_cursor
        if not page.page_info.has_next_page:
            break

    # By id: two of the same millisecond are in no order.
    assert seen == sorted((each.id for each in made if each is not made[2]), reverse=True)
    forged = await office.ledger.proposals.page(two, None, first=2, after="AAAA")
    assert isinstance(forged, BadInput)
    assert isinstance(await office.ledger.proposals.page(two, None, first=0, after=None), BadInput)
