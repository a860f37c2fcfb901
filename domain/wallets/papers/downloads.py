"""Opening files by their links."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.kernel.clock import Clock
from domain.kernel.failures import Unavailable
from domain.kernel.ids import UserId
from domain.wallets.papers.links import LinkSigner
from domain.wallets.papers.model import Statement, StatementFormat, StatementId
from domain.wallets.papers.ports import FileDamaged, FileReader, Shelf, StatementFiles

# Later than any moment of ours, and no longer than a number of seconds has to be.
_EXPIRES_DIGITS_MAX = 12
_NOBODY = UserId(UUID(int=0))


class LinkRefusal(StrEnum):
    """Why a link opens nothing."""

    FORGED = "FORGED"
    """We never made it, or somebody changed it."""
    EXPIRED = "EXPIRED"
    GONE = "GONE"
    """It was good, and there is no file any more."""
    DAMAGED = "DAMAGED"
    """It is good, and the file is not."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way out."""

    name: str
    format: StatementFormat
    size: int
    sha256: str
    chunks: FileReader
    """To be closed by whoever got it, read or not."""


class Downloads:
    """Gives files to whoever holds a link."""

    def __init__(
        self, *, shelf: Shelf, files: StatementFiles, signer: LinkSigner, clock: Clock
    ) -> None:
        self._shelf = shelf
        self._files = files
        self._signer = signer
        self._clock = clock

    async def open(
        self, statement_id: str, *, expires: str, signature: str
    ) -> Download | LinkRefusal:
        """What is behind a link. Raises Unavailable, TimedOut."""
        checked = await self._checked(statement_id, expires=expires, signature=signature)
        if isinstance(checked, LinkRefusal):
            return checked
        if not checked.has_file(self._clock.now()) or checked.file is None:
            return LinkRefusal.GONE
        if checked.place != self._files.place:
            # Another host's folder: to say that it is gone would be wrong.
            raise Unavailable("file storage")
        try:
            chunks = await self._files.reading(checked.owner, checked.file)
        except FileDamaged:
            return LinkRefusal.DAMAGED
        if chunks is None or checked.size is None or checked.sha256 is None:
            return LinkRefusal.GONE
        return Download(checked.file_name, checked.format, checked.size, checked.sha256, chunks)

    async def _checked(
        self, statement_id: str, *, expires: str, signature: str
    ) -> Statement | LinkRefusal:
        """The statement of a link that is ours and still good."""
        number = expires.isascii() and expires.isdecimal() and len(expires) <= _EXPIRES_DIGITS_MAX
        try:
            known = StatementId(UUID(statement_id))
        except ValueError:
            return LinkRefusal.FORGED
        if not number or str(known) != statement_id:
            return LinkRefusal.FORGED
        statement = await self._shelf.statement(known)
        owner = _NOBODY if statement is None else statement.owner
        genuine = self._signer.genuine(known, owner, int(expires), signature)
        if statement is None or not genuine:
            return LinkRefusal.FORGED
        if int(expires) <= self._clock.now().timestamp():
            return LinkRefusal.EXPIRED
        return statement
