"""Posting an entry and telling of it, in one work: the only way money moves."""

from domain.wallets.errors import Refusal
from domain.wallets.events import wallet_events
from domain.wallets.model import Hold, JournalEntry, Posted
from domain.wallets.ports import Work


async def record(
    work: Work, entry: JournalEntry, *, opens: Hold | None = None, resolves: Hold | None = None
) -> Posted | Refusal:
    """Post ``entry``; every owner it touches is told when the work is committed."""
    posted = await work.ledger.post(entry, opens=opens, resolves=resolves)
    if isinstance(posted, Posted):
        for event in wallet_events(entry, posted):
            work.events.append(event)
    return posted
