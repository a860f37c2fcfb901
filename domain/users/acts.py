"""What callers do, as the log keeps it: who, from where, about whom."""

from collections.abc import Mapping
from datetime import datetime

from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users.caller import client_of, owner_of
from domain.users.model import ActivityResult
from domain.users.ports import Work


def log_act(
    work: Work,
    viewer: Viewer,
    action: str,
    *,
    now: datetime,
    subject: UserId | None = None,
    denied: bool = False,
    details: Mapping[str, str] | None = None,
) -> None:
    """One line within the unit of work; about the caller, unless it says about whom."""
    actor = owner_of(viewer)
    work.activity.add(
        actor_id=actor,
        subject_id=subject or actor,
        action=action,
        result=ActivityResult.DENIED if denied else ActivityResult.SUCCEEDED,
        now=now,
        client=client_of(viewer),
        details=details,
    )
