"""Whom a wish names: an account by its id, or by an address that is known to be theirs."""

from uuid import UUID

from domain.kernel.ids import UserId
from domain.wallets.errors import TooManyRecipients, UnknownRecipient
from domain.wallets.ports import LookUps, Recipients

EMAIL_LENGTH_MAX = 254


class Payees:
    """Finds who is to be paid.

    Whoever asks about an address learns whether somebody here has it: they have to, or money would
    go astray. So new addresses are counted, per person. Ids cannot be guessed, and are not.
    """

    def __init__(self, *, recipients: Recipients, look_ups: LookUps) -> None:
        self._recipients = recipients
        self._look_ups = look_ups

    def mark(self, named: UserId | str) -> str:
        """The same text for the same name, that can be kept; one for all that is no name."""
        if isinstance(named, UUID):
            return str(named)
        return self._recipients.mark(named) if _is_email(named) else "nobody"

    async def find(
        self, asker: UserId, named: UserId | str
    ) -> UserId | UnknownRecipient | TooManyRecipients:
        """Who can be paid under this name. Raises Unavailable, TimedOut."""
        found: UserId | None
        if isinstance(named, UUID):
            found = named if await self._recipients.can_receive(named) else None
        elif not _is_email(named):
            found = None
        else:
            wait = await self._look_ups.wait_seconds(asker, self._recipients.mark(named))
            if wait is not None:
                return TooManyRecipients(wait)
            found = await self._recipients.of_email(named)
        return UnknownRecipient() if found is None else found


def _is_email(text: str) -> bool:
    # Nothing that cannot be an address is looked for, or counted.
    return len(text) <= EMAIL_LENGTH_MAX and text.isprintable() and "@" in text[1:-1]
