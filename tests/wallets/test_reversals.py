"""Entries that two take back: once, whole, and never one they have a share in."""

from decimal import Decimal

from domain.kernel.errors import BadInput
from domain.kernel.ids import UserId
from domain.wallets.desk.errors import NotReversible, OwnMoney, ProposalExpired
from domain.wallets.desk.model import (
    LedgerProposal,
    LedgerProposalKind,
    LedgerProposalState,
)
from domain.wallets.desk.ports import EntryQuery
from domain.wallets.errors import InsufficientFunds
from domain.wallets.model import JournalEntry
from tests.users.conftest import book
from tests.wallets.conftest import USDT
from tests.wallets.office import Office, office, reversal

__all__ = ["book", "office"]


async def test_an_entry_is_taken_back_by_two(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    one, two = await office.treasurer(), await office.admin()
    sent = await office.send(ann, bob, "4")
    assert isinstance(sent, JournalEntry)

    wish = reversal(sent.id)
    proposal = await office.ledger.proposals.reversal(one, wish)
    assert isinstance(proposal, LedgerProposal)
    again = await office.ledger.proposals.reversal(two, reversal(sent.id))
    decided = await office.decide(two, proposal)

    assert (proposal.kind, proposal.owner) == (LedgerProposalKind.REVERSAL, bob)
    assert isinstance(again, BadInput)
    assert decided.state is LedgerProposalState.APPROVED
    assert (await office.has(ann), await office.has(bob)) == ("10", "0")
    entry = await office.books.entry(sent.id)
    assert entry is not None
    assert entry.reversed_by == decided.posted_as
    assert (await office.told(bob))[-1] == "wallet.reversed"
    assert await office.ledger.proposals.reversal(one, reversal(sent.id)) == NotReversible()
    assert await office.ledger.proposals.reversal(one, wish) == decided
    subjects = {line.subject_id for line in await office.lines("reversal.approved")}
    assert subjects == {ann, bob}
    await office.sound()


async def test_what_no_reversal_takes_back(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    one, two = await office.treasurer(), await office.admin()
    hold = await office.hold(ann, "3")
    placed = await office.books.entries(EntryQuery(hold_id=hold.id), first=1, before=None)
    sent = await office.send(ann, bob, "4")
    assert isinstance(sent, JournalEntry)
    proposal = await office.ledger.proposals.reversal(one, reversal(sent.id))
    assert isinstance(proposal, LedgerProposal)
    await office.send(bob, ann, "1")

    assert await office.ledger.proposals.reversal(one, reversal(placed[0].id)) == NotReversible()
    assert await office.decide(two, proposal) == InsufficientFunds(USDT, Decimal(3))
    await office.send(ann, bob, "1")
    decided = await office.decide(two, proposal)
    of_reversal = reversal(decided.posted_as)
    assert await office.ledger.proposals.reversal(one, of_reversal) == NotReversible()
    await office.sound()


async def test_a_reversal_nobody_decided_is_proposed_anew(office: Office):
    ann, bob = await office.person(amount="10"), await office.person("uid-bob")
    one, two = await office.treasurer(), await office.admin()
    sent = await office.send(ann, bob, "4")
    assert isinstance(sent, JournalEntry)
    first = await office.ledger.proposals.reversal(one, reversal(sent.id))
    assert isinstance(first, LedgerProposal)
    office.clock.move(days=8)

    second = await office.ledger.proposals.reversal(one, reversal(sent.id))

    assert isinstance(second, LedgerProposal)
    assert await office.decide(two, first) == ProposalExpired()
    assert (await office.decide(two, second)).state is LedgerProposalState.APPROVED
    assert (await office.has(ann), await office.has(bob)) == ("10", "0")
    await office.sound()


async def test_who_has_a_share_in_an_entry_decides_nothing_about_it(office: Office):
    one, two = await office.treasurer(), await office.admin()
    bob = await office.person("uid-bob", amount="10")
    mine = UserId(two.user_id)  # type: ignore[arg-type]
    sent = await office.send(bob, mine, "4")
    assert isinstance(sent, JournalEntry)

    own = await office.ledger.proposals.reversal(two, reversal(sent.id))
    proposal = await office.ledger.proposals.reversal(one, reversal(sent.id))

    assert own == OwnMoney()
    assert isinstance(proposal, LedgerProposal)
    assert await office.decide(two, proposal) == OwnMoney()
    assert await office.decide(two, proposal, approve=False) == OwnMoney()
