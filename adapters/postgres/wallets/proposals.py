"""Wishes to correct the books, within one unit of work. Reasons leave and enter sealed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from adapters.postgres.tables.wallets import LedgerProposalRow
from adapters.postgres.users.keys import Keys
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import trimmed
from domain.wallets.desk.model import (
    LedgerProposal,
    LedgerProposalId,
    LedgerProposalKind,
    LedgerProposalState,
)
from domain.wallets.model import EntryId

_COLUMN = "proposal.reason"


class PostgresProposals:
    """Implements domain.wallets.desk.ports.LedgerProposals."""

    def __init__(self, session: AsyncSession, keys: Keys) -> None:
        self._session = session
        self._keys = keys

    async def add(self, proposal: LedgerProposal) -> bool:
        if proposal.entry_id is not None:
            await self._expire(proposal.entry_id, now=proposal.created_at)
        await self._keys.load([proposal.owner])
        connection = await self._session.connection()
        inserted = await connection.execute(
            insert(LedgerProposalRow)
            .values(
                id=proposal.id,
                kind=proposal.kind.value,
                owner=proposal.owner,
                asset=proposal.asset,
                amount=proposal.amount,
                entry_id=proposal.entry_id,
                reason=self._keys.seal(proposal.owner, _COLUMN, proposal.reason),
                proposed_by=proposal.proposed_by,
                created_at=proposal.created_at,
                expires_at=proposal.expires_at,
                state=proposal.state.value,
            )
            .on_conflict_do_nothing()
        )
        return bool(inserted.rowcount)

    async def one(self, proposal_id: LedgerProposalId) -> LedgerProposal | None:
        return await self._one(proposal_id, lock=False)

    async def locked(self, proposal_id: LedgerProposalId) -> LedgerProposal | None:
        return await self._one(proposal_id, lock=True)

    async def settle(self, proposal: LedgerProposal) -> None:
        await self._session.exec(
            update(LedgerProposalRow)
            .where(col(LedgerProposalRow.id) == proposal.id)
            .values(
                state=proposal.state.value,
                decided_by=proposal.decided_by,
                decided_at=proposal.decided_at,
                posted_as=proposal.posted_as,
            )
        )

    async def _one(self, proposal_id: LedgerProposalId, *, lock: bool) -> LedgerProposal | None:
        # As it is now, whatever this unit of work has read before it waited for the lock.
        wanted = select(LedgerProposalRow).execution_options(populate_existing=True)
        wanted = wanted.where(LedgerProposalRow.id == proposal_id)
        found = await self._session.exec(wanted.with_for_update() if lock else wanted)
        row = found.one_or_none()
        if row is None:
            return None
        await self._keys.load([row.owner])
        return proposal_of(row, self._keys)

    async def _expire(self, entry_id: EntryId, *, now: datetime) -> None:
        """One whose time is up must not stand in the way of another about the same entry."""
        await self._session.exec(
            update(LedgerProposalRow)
            .where(col(LedgerProposalRow.entry_id) == entry_id)
            .where(col(LedgerProposalRow.state) == LedgerProposalState.OPEN.value)
            .where(col(LedgerProposalRow.expires_at) <= now)
            .values(state=LedgerProposalState.EXPIRED.value)
        )


def proposal_of(row: LedgerProposalRow, keys: Keys) -> LedgerProposal:
    """The row as the domain has it; ``keys`` holds its owner's."""
    return LedgerProposal(
        id=LedgerProposalId(row.id),
        kind=LedgerProposalKind(row.kind),
        owner=UserId(row.owner),
        proposed_by=UserId(row.proposed_by),
        created_at=row.created_at,
        expires_at=row.expires_at,
        reason=keys.open(row.owner, _COLUMN, row.reason),
        asset=None if row.asset is None else AssetCode(row.asset),
        amount=None if row.amount is None else trimmed(row.amount),
        entry_id=_entry_id(row.entry_id),
        state=LedgerProposalState(row.state),
        decided_by=None if row.decided_by is None else UserId(row.decided_by),
        decided_at=row.decided_at,
        posted_as=_entry_id(row.posted_as),
    )


def _entry_id(value: UUID | None) -> EntryId | None:
    return None if value is None else EntryId(value)
