"""What staff was refused, kept in the log: what somebody may not do and tried says a lot.

About the account it was tried on, which its owner is not told of (``own_log``). What was only
written wrongly is nobody's concern.
"""

from typing import TypeVar

from domain.kernel.clock import Clock
from domain.kernel.errors import BadInput, NotFound, UserError
from domain.kernel.ids import UserId
from domain.kernel.viewer import Viewer
from domain.users.acts import log_act
from domain.users.caller import owner_of
from domain.users.ports import Work

REFUSED = "staff.refused"

Refusal = TypeVar("Refusal", bound=UserError)


def noted(
    work: Work, viewer: Viewer, subject: UserId, action: str, error: Refusal, *, clock: Clock
) -> Refusal:
    """``error``, after one line about ``action`` within the unit of work that refused it."""
    if isinstance(error, BadInput):
        return error
    details = {"action": action, "code": str(error.code)}
    if isinstance(error, NotFound):
        # There is no such account, or it is nobody's any more: the line is about who asked.
        details = {**details, "userId": str(subject)}
        subject = owner_of(viewer)
    log_act(work, viewer, REFUSED, now=clock.now(), subject=subject, denied=True, details=details)
    return error
