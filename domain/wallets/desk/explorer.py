"""Looking into the books.

A look at somebody's money is written to the log, as a look at their account is.
"""

from collections.abc import Collection, Iterable
from dataclasses import fields
from datetime import datetime
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.cursor import CursorSigner
from domain.kernel.errors import BadInput, NotFound
from domain.kernel.ids import UserId
from domain.kernel.page import Edge, Page, page_of, page_size
from domain.kernel.viewer import Viewer
from domain.wallets.desk.model import LedgerAccount, LedgerEntry, TrialBalance
from domain.wallets.desk.ports import AccountQuery, DeskWorks, EntryQuery, LedgerBooks
from domain.wallets.desk.staff import log_search, log_views
from domain.wallets.model import AccountId, EntryId

_ENTRIES = "ledger_entries"
_ACCOUNTS = "ledger_accounts"


class Explorer:
    """Entries, accounts, the trial balance."""

    def __init__(
        self, *, works: DeskWorks, books: LedgerBooks, cursors: CursorSigner, clock: Clock
    ) -> None:
        self._works = works
        self._books = books
        self._cursors = cursors
        self._clock = clock

    async def entries(
        self, viewer: Viewer, query: EntryQuery, *, first: int, after: str | None
    ) -> Page[LedgerEntry] | BadInput:
        """Newest first; a page never shifts, because nothing is ever put in between.

        Raises Unavailable, TimedOut: what is rare and long ago takes a narrower filter.
        """
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        opened = None if after is None else self._cursors.open(_ENTRIES, after)
        if isinstance(opened, BadInput):
            return opened
        before = None if opened is None else int(opened)
        found = await self._books.entries(query, first=size + 1, before=before)
        shown = found[:size]
        owners = {owner for entry in shown for owner in entry.owners}
        await self._log(viewer, query.owner, query, len(shown), owners)
        edges = [Edge(each, self._cursors.sign(_ENTRIES, str(each.position))) for each in shown]
        return page_of(edges, after=after, more=len(found) > size)

    async def entry(self, viewer: Viewer, entry_id: EntryId) -> LedgerEntry | NotFound:
        """Raises Unavailable, TimedOut."""
        found = await self._books.entry(entry_id)
        if found is None:
            return NotFound("entry", "id")
        await self._log_views(viewer, found.owners)
        return found

    async def accounts(
        self, viewer: Viewer, query: AccountQuery, *, first: int, after: str | None
    ) -> Page[LedgerAccount] | BadInput:
        """In the order of ids. Raises Unavailable, TimedOut."""
        size = page_size(first)
        if isinstance(size, BadInput):
            return size
        opened = None if after is None else self._cursors.open(_ACCOUNTS, after)
        if isinstance(opened, BadInput):
            return opened
        place = None if opened is None else AccountId(UUID(opened))
        found = await self._books.accounts(query, first=size + 1, after=place)
        shown = found[:size]
        owners = {each.account.owner for each in shown if each.account.owner is not None}
        await self._log(viewer, query.owner, query, len(shown), owners)
        edges = [Edge(each, self._cursors.sign(_ACCOUNTS, str(each.id))) for each in shown]
        return page_of(edges, after=after, more=len(found) > size)

    async def account(self, viewer: Viewer, account_id: AccountId) -> LedgerAccount | NotFound:
        """Raises Unavailable, TimedOut."""
        found = await self._books.account(account_id)
        if found is None:
            return NotFound("account", "id")
        if found.account.owner is not None:
            await self._log_views(viewer, [found.account.owner])
        return found

    async def trial_balance(self, until: datetime | None) -> TrialBalance:
        """Of everything until then, or until now. Nobody's in particular: not logged.

        Raises Unavailable, TimedOut.
        """
        return await self._books.trial_balance(until=until, now=self._clock.now())

    async def _log(
        self,
        viewer: Viewer,
        subject: UserId | None,
        query: EntryQuery | AccountQuery,
        found: int,
        owners: Iterable[UserId],
    ) -> None:
        by = " ".join(each.name for each in fields(query) if _narrows(getattr(query, each.name)))
        async with self._works.begin() as work:
            log_search(work, viewer, owners, by=by, found=found, subject=subject)

    async def _log_views(self, viewer: Viewer, owners: Collection[UserId]) -> None:
        if not owners:
            return
        async with self._works.begin() as work:
            log_views(work, viewer, owners)


def _narrows(given: object) -> bool:
    return given is not None and given != frozenset()
