"""The log as the owner of an account sees it: all that was done to it, nothing of who of staff.

That staff looked, wrote, exported or argued about a correction is between staff and its auditors:
a person who is looked into must not learn of it from us, and what came of it is among their
transactions. An employee's address and device are theirs.
"""

from dataclasses import replace

from domain.kernel.ids import UserId
from domain.users.model import Activity
from domain.users.ports import ActivityQuery

STAFF_ONLY = frozenset(
    {
        "adjustment.approved",
        "adjustment.proposed",
        "adjustment.rejected",
        "adjustment.withdrawn",
        "audit.exported",
        "audit.searched",
        "hold.voided",
        "ledger.searched",
        "ledger.viewed",
        "note.added",
        "notes.viewed",
        "proposals.viewed",
        "reversal.approved",
        "reversal.proposed",
        "reversal.rejected",
        "reversal.withdrawn",
        "sessions.viewed",
        "staff.refused",
        "user.revealed",
        "user.viewed",
        "users.searched",
    }
)


def log_of_owner(owner: UserId) -> ActivityQuery:
    """The owner's own lines."""
    return ActivityQuery(subject_id=owner, without=STAFF_ONLY)


def as_owner_sees(line: Activity) -> Activity:
    """The line without what is somebody else's: their address and device, their reasons."""
    if line.actor_id in (None, line.subject_id):
        return line
    details = {name: value for name, value in line.details.items() if name != "reason"}
    return replace(line, actor_id=None, address=None, agent=None, details=details)
