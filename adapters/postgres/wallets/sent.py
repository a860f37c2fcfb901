"""What somebody sent lately: the difference of running totals that the journal keeps."""

from datetime import datetime

from adapters.postgres.statements import Unit, rows
from domain.kernel.ids import AssetCode, UserId
from domain.kernel.money import trimmed
from domain.wallets.limits import DAY, MONTH
from domain.wallets.model import available
from domain.wallets.ports import Sent, SentWithin

_SENT = """
    SELECT day.amount AS day, day.oldest_at AS day_oldest_at, month.amount AS month,
        month.oldest_at AS month_oldest_at
    FROM wallets.sent_since($1, $2) AS day, wallets.sent_since($1, $3) AS month
"""


async def sent_lately(unit: Unit, owner: UserId, asset: AssetCode, *, now: datetime) -> Sent:
    """Reversed ones count, too: they were sent."""
    account = available(owner, asset).id
    (found,) = await rows(unit, _SENT, account, now - DAY, now - MONTH)
    return Sent(
        SentWithin(trimmed(found["day"]), found["day_oldest_at"]),
        SentWithin(trimmed(found["month"]), found["month_oldest_at"]),
    )
