"""Everything kept about somebody, for themselves."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, time
from enum import Enum
from typing import Any
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.viewer import Viewer
from domain.users.acts import log_act
from domain.users.caller import owner_of
from domain.users.own_log import as_owner_sees, log_of_owner
from domain.users.ports import Accounts, Works

LINES_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Export:
    """One JSON document."""

    created_at: datetime
    document: str


class DataExport:
    """Gathers a person's data, personal data in clear: it is theirs."""

    def __init__(self, *, works: Works, accounts: Accounts, clock: Clock) -> None:
        self._works = works
        self._accounts = accounts
        self._clock = clock

    async def of_caller(self, viewer: Viewer) -> Export:
        """Account, profile, settings, sessions, notifications and log, the newest 10,000 each."""
        user_id = owner_of(viewer)
        now = self._clock.now()
        async with self._works.begin() as work:
            log_act(work, viewer, "data.exported", now=now)
        user = await self._accounts.user(user_id)
        profiles = await self._accounts.profiles([user_id])
        lines = await self._accounts.activity(log_of_owner(user_id), first=LINES_MAX, before=None)
        parts: Mapping[str, object] = {
            "createdAt": now,
            "account": user,
            "profile": profiles[user_id],
            "settings": await self._accounts.settings(user_id),
            "sessions": await self._accounts.sessions(user_id, active_only=False, first=LINES_MAX),
            "notifications": await self._accounts.notifications(
                user_id, unread_only=False, first=LINES_MAX, before=None
            ),
            "activity": [as_owner_sees(line) for line in lines],
        }
        document = json.dumps(parts, default=_plain, ensure_ascii=False, indent=1)
        return Export(now, document)


def _plain(value: Any) -> Any:  # noqa: ANN401  # whatever a dataclass holds
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | time):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    return asdict(value)
