"""What staff writes of somebody: sealed, told to nobody else, gone with them."""

from dataclasses import replace

import asyncpg
import pytest

from domain.kernel.errors import NotFound
from domain.wallets.desk.model import LedgerProposalState
from tests.users.conftest import book
from tests.wallets.office import Office, adjustment, office
from tests.world import DatabaseUrls

__all__ = ["book", "office"]


async def test_what_staff_writes_lies_nowhere_open(
    office: Office, database_urls: DatabaseUrls, capsys: pytest.CaptureFixture[str]
):
    ann, one, two = await office.person(), await office.treasurer(), await office.admin()
    proposal = await office.propose(one, ann, "5")
    await office.decide(two, proposal)
    await office.freeze(one, ann)

    owner = await asyncpg.connect(database_urls.owner)
    try:
        for table in (
            "wallets.proposal", "wallets.entry", "events.event", "idempotency.command",
            "users.activity",
        ):  # fmt: skip
            rows = await owner.fetch(f"SELECT t::text AS line FROM {table} t")  # noqa: S608
            assert rows, table
            assert not [row for row in rows if "4711" in row["line"] or "@" in row["line"]], table
    finally:
        await owner.close()
    said = capsys.readouterr()
    assert "4711" not in said.out + said.err


async def test_reasons_go_with_who_is_erased(office: Office):
    ann, one = await office.person(), await office.treasurer()
    proposal = await office.propose(one, ann, "5")
    async with office.book.works.begin() as work:
        await work.users.locked(ann)
        await work.users.shred(ann)

    kept = await office.books.proposal(proposal.id)
    gone = await office.ledger.proposals.adjustment(one, adjustment(ann, "1"))

    assert kept == replace(proposal, reason=None)
    # Money for nobody could never be used.
    two = await office.admin()
    assert await office.decide(two, proposal) == NotFound("account", "proposalId")
    rejected = await office.decide(two, proposal, approve=False)
    assert rejected.state is LedgerProposalState.REJECTED
    assert await office.has(ann) == "0"
    assert gone == NotFound("account", "userId")
