"""Links that open one file for a quarter of an hour, for whoever holds them.

A browser saves a file by following a link, and a link carries no token. So the link is the proof:
signed for one statement of one owner until one moment, and never kept.
"""

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from domain.kernel.ids import UserId
from domain.wallets.papers.model import Statement, StatementId

PATH = "/files/statements"
LIFE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SignedLink:
    """Where a file is downloaded."""

    url: str
    """Without a host: on the one that answered."""
    expires_at: datetime


class LinkSigner:
    """Makes and checks links with one key shared by all processes of a deployment."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"okd statement link", sha256)

    def __repr__(self) -> str:
        return "LinkSigner(...)"

    def link(self, statement: Statement, *, now: datetime) -> SignedLink | None:
        """A link to the statement's file, no longer good than the file is; None without one."""
        if not statement.has_file(now) or statement.expires_at is None:
            return None
        ends = min(now + LIFE, statement.expires_at)
        expires = int(ends.timestamp())
        signature = self.signature(statement.id, statement.owner, expires)
        url = f"{PATH}/{statement.id}?expires={expires}&signature={signature}"
        return SignedLink(url, datetime.fromtimestamp(expires, UTC))

    def signature(self, statement_id: StatementId, owner: UserId, expires: int) -> str:
        body = f"v1:{statement_id}:{owner}:{expires}".encode()
        return urlsafe_b64encode(hmac.digest(self._key, body, sha256)).rstrip(b"=").decode()

    def genuine(
        self, statement_id: StatementId, owner: UserId, expires: int, signature: str
    ) -> bool:
        """Whether we signed this; takes as long whatever is wrong with it."""
        right = self.signature(statement_id, owner, expires)
        return hmac.compare_digest(right.encode(), signature.encode())
