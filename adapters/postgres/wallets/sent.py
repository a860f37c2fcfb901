"""What somebody sent lately: the difference of running totals that the journal keeps."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import trimmed
from domain.wallets.limits import DAY, MONTH
from domain.wallets.model import available
from domain.wallets.ports import Sent, SentWithin

_SENT = text(
    """
    SELECT day.amount, day.oldest_at, month.amount, month.oldest_at
    FROM wallets.sent_since(:account, :day) AS day, wallets.sent_since(:account, :month) AS month
    """
)


async def sent_lately(
    connection: AsyncConnection, owner: UserId, asset: AssetCode, *, now: datetime
) -> Sent:
    """Reversed ones count, too: they were sent."""
    values = {"account": available(owner, asset).id, "day": now - DAY, "month": now - MONTH}
    day, day_oldest, month, month_oldest = (await connection.execute(_SENT, values)).one()
    return Sent(SentWithin(trimmed(day), day_oldest), SentWithin(trimmed(month), month_oldest))
