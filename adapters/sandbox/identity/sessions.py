"""Sign-ins: refresh tokens that remember when and how somebody signed in, and their end.

``auth_time`` belongs to the session, not to the user: a second sign-in elsewhere makes no older
one look fresh. Revocation ends exactly the sessions there are at that moment.
"""

import secrets
from dataclasses import dataclass, replace
from hashlib import sha256

from adapters.sandbox.identity.accounts import Account
from adapters.sandbox.identity.answers import Answer, Refused
from adapters.sandbox.identity.store import Store
from adapters.sandbox.identity.tokens import SignIn, Tokens

_PER_ACCOUNT_MAX = 100
# Firebase asks for a fresh sign-in before it lets a password, address or factor be changed.
RECENT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Caller:
    """Who holds the ID token of a request."""

    account: Account
    sign_in: SignIn


class Sessions:
    """Begins, refreshes and revokes."""

    def __init__(self, store: Store, tokens: Tokens) -> None:
        self._store = store
        self._tokens = tokens

    def begun(self, account: Account, sign_in: SignIn, *, now: float) -> Answer:
        """Tokens of a new session; the account is saved with it."""
        account.last_login_at = now
        return self.continued(account, sign_in, now=now)

    def continued(self, account: Account, sign_in: SignIn, *, now: float) -> Answer:
        """New tokens for a sign-in that was, such as after a factor was enrolled."""
        account.last_refresh_at = now
        self._store.save(account)
        token = secrets.token_urlsafe(96)
        execute = self._store.connection.execute
        execute(
            "INSERT INTO sessions (digest, uid, provider, signed_in_at, factor_kind, factor_id)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                _digest(token),
                account.uid,
                sign_in.provider,
                sign_in.signed_in_at,
                sign_in.factor_kind,
                sign_in.factor_id,
            ),
        )
        execute(
            "DELETE FROM sessions WHERE rowid IN (SELECT rowid FROM sessions WHERE uid = ?"
            " ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
            (account.uid, _PER_ACCOUNT_MAX),
        )
        return {
            "idToken": self._tokens.minted(account, sign_in),
            "refreshToken": token,
            "expiresIn": str(self._tokens.life_seconds),
        }

    def renewed(self, account: Account, sign_in: SignIn, *, now: float) -> Answer:
        """Tokens that outlive the revocation a new password brings: it counts as a sign-in.

        Google's SDK for Node compares ``auth_time`` with ``validSince``, the one for Python
        ``iat``: these pass both.
        """
        return self.continued(account, replace(sign_in, signed_in_at=int(now)), now=now)

    def refreshed(self, token: str, *, now: float) -> Answer:
        """Raises Refused: INVALID_REFRESH_TOKEN, USER_DISABLED, TOKEN_EXPIRED."""
        row = self._store.connection.execute(
            "SELECT uid, revoked, provider, signed_in_at, factor_kind, factor_id"
            " FROM sessions WHERE digest = ?",
            (_digest(token),),
        ).fetchone()
        if row is None:
            raise Refused("INVALID_REFRESH_TOKEN")
        uid, revoked, *sign_in = row
        account = self._store.by_uid(uid)
        if account is None:
            raise Refused("USER_NOT_FOUND")
        if account.disabled:
            raise Refused("USER_DISABLED")
        if revoked:
            raise Refused("TOKEN_EXPIRED")
        account.last_refresh_at = now
        self._store.save(account)
        minted = self._tokens.minted(account, SignIn(*sign_in))
        return {
            "access_token": minted,
            "id_token": minted,
            "expires_in": str(self._tokens.life_seconds),
            "token_type": "Bearer",
            "refresh_token": token,
            "user_id": uid,
            "project_id": "12345",
        }

    def revoke(self, account: Account, *, since: int) -> None:
        """End what was signed in up to ``since``; the account still has to be saved."""
        account.valid_since = since
        self._store.connection.execute(
            "UPDATE sessions SET revoked = 1 WHERE uid = ? AND signed_in_at <= ?",
            (account.uid, since),
        )

    def caller(self, id_token: str | None) -> Caller:
        """Raises Refused: MISSING_ID_TOKEN, INVALID_ID_TOKEN, TOKEN_EXPIRED, USER_..."""
        if not id_token:
            raise Refused("MISSING_ID_TOKEN")
        read = self._tokens.read(id_token)
        account = self._store.by_uid(read.uid)
        if account is None:
            raise Refused("USER_NOT_FOUND")
        if account.disabled:
            raise Refused("USER_DISABLED")
        if read.issued_at < account.valid_since:
            raise Refused("TOKEN_EXPIRED")
        return Caller(account, read.sign_in)

    def recent_caller(self, id_token: str | None, *, now: float) -> Caller:
        """One who signed in a moment ago. Raises also CREDENTIAL_TOO_OLD_LOGIN_AGAIN."""
        caller = self.caller(id_token)
        if now - caller.sign_in.signed_in_at > RECENT_SECONDS:
            raise Refused("CREDENTIAL_TOO_OLD_LOGIN_AGAIN")
        return caller


def _digest(token: str) -> bytes:
    return sha256(token.encode(errors="replace")).digest()
