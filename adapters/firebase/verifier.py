"""ID tokens, verified without a thread and without a network call per token.

Accepts nothing that firebase-admin rejects (a differential test looks), and is stricter where that
is lax: tenant, ``auth_time``, anonymous sign-in, size. Never looks at an emulator's variable.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import jwt

from adapters.firebase.certificates import Certificates
from domain.users.errors import TokenExpired, TokenInvalid
from domain.users.model import Identity, SignIn

TOKEN_LENGTH_MAX = 8192
CLOCK_SKEW_SECONDS = 10
_SUBJECT_LENGTH_MAX = 128
# The longest e-mail address; names are shorter.
_TEXT_LENGTH_MAX = 320
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CACHE_MAX = 10_000
_ALGORITHM = "RS256"
# Decoders skip what is not base64url: the same token could be written in any number of ways.
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# The year 6325: what is later is no time, and datetime ends at 9999.
_INSTANT_MAX = 1 << 37


class TokenVerifier:
    """Implements domain.users.ports.TokenVerifier."""

    def __init__(
        self,
        certificates: Certificates,
        *,
        project: str,
        tenant: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._certificates = certificates
        self._project = project
        self._tenant = tenant
        self._now = now
        # By digest: a memory dump holds no token. What is asked of a hit is its expiry; whether the
        # session still lives is asked of the database every time.
        self._verified: OrderedDict[bytes, SignIn] = OrderedDict()

    async def verify(self, token: str) -> SignIn | TokenExpired | TokenInvalid:
        """Who signed in. Raises Unavailable when no certificate can be had at all."""
        if len(token) > TOKEN_LENGTH_MAX or not _SHAPE.fullmatch(token):
            return TokenInvalid()
        digest = sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None:
            if known.expires_at.timestamp() > self._now():
                self._verified.move_to_end(digest)
                return known
            del self._verified[digest]
            return TokenExpired()
        found = await self._decode(token)
        if isinstance(found, SignIn):
            self._verified[digest] = found
            if len(self._verified) > _CACHE_MAX:
                self._verified.popitem(last=False)
        return found

    async def _decode(self, token: str) -> SignIn | TokenExpired | TokenInvalid:
        key_id = _key_id(token)
        key = None if key_id is None else await self._certificates.key(key_id)
        if key is None:
            return TokenInvalid()
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=self._project,
                issuer=f"https://securetoken.google.com/{self._project}",
                options={
                    "require": ["exp", "iat", "sub", "auth_time"],
                    "strict_aud": True,
                    # Asked below, by the clock we are given.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            return TokenInvalid()
        return self._judged(claims)

    def _judged(self, claims: Mapping[str, Any]) -> SignIn | TokenExpired | TokenInvalid:
        times = [claims.get(name) for name in ("auth_time", "iat", "exp")]
        # bool is an int in Python; NaN and 1e400 are floats in JSON.
        if not all(type(value) is int and 0 < value < _INSTANT_MAX for value in times):
            return TokenInvalid()
        signed_in, issued, expires = (value for value in times if isinstance(value, int))
        now = self._now()
        latest = now + CLOCK_SKEW_SECONDS
        not_before = claims.get("nbf", 0)
        if type(not_before) is not int or max(signed_in, issued, not_before) > latest:
            return TokenInvalid()
        if expires <= now:
            return TokenExpired()
        return self._sign_in(claims, signed_in, issued, expires)

    def _sign_in(
        self, claims: Mapping[str, Any], signed_in: int, issued: int, expires: int
    ) -> SignIn | TokenInvalid:
        subject = claims.get("sub")
        firebase = claims.get("firebase")
        if _text(subject) is None or len(str(subject)) > _SUBJECT_LENGTH_MAX:
            return TokenInvalid()
        if not isinstance(firebase, dict) or firebase.get("tenant", "") != self._tenant:
            return TokenInvalid()
        provider = _text(firebase.get("sign_in_provider"))
        if provider is None or provider == "anonymous":
            return TokenInvalid()
        return SignIn(
            identity=Identity(self._project, self._tenant, str(subject)),
            signed_in_at=_instant(signed_in),
            issued_at=_instant(issued),
            expires_at=_instant(expires),
            provider=provider,
            second_factor=_text(firebase.get("sign_in_second_factor")),
            email=_text(claims.get("email")),
            email_verified=claims.get("email_verified") is True,
            display_name=_text(claims.get("name")),
        )


def _key_id(token: str) -> str | None:
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    key_id = header.get("kid")
    if header.get("alg") != _ALGORITHM or "crit" in header or not isinstance(key_id, str):
        return None
    return key_id


def _text(value: object) -> str | None:
    # JSON can hold halves of characters and NUL, which no database takes.
    if not isinstance(value, str) or not value or _UNSTORABLE.search(value):
        return None
    return value[:_TEXT_LENGTH_MAX]


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
