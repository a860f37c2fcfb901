"""ID tokens: RS256 under a key of this sandbox's own, with the certificate Google would publish.

Signed, unlike those of Google's emulator, so that the path that verifies them in production is the
path that runs everywhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from typing import Any, Self

import jwt
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from adapters.sandbox.identity.accounts import PASSWORD_PROVIDER, Account
from adapters.sandbox.identity.answers import Refused
from adapters.sandbox.identity.store import Store

_ALGORITHM = "RS256"
_SECRET = "signing-key"  # noqa: S105  # the name it is kept under
_COMMON_NAME = "OKD sandbox identity: not Google"
_LIFE = timedelta(days=3650)
_LENGTH_MAX = 8192


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in was: kept with the refresh token, so that a refresh tells the same."""

    provider: str
    signed_in_at: int
    factor_kind: str | None = None
    factor_id: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """An ID token of ours that is valid now."""

    uid: str
    issued_at: int
    sign_in: SignIn


class SigningKey:
    """One RSA key and its certificate, made once and kept."""

    def __init__(self, private_pem: str, certificate_pem: str) -> None:
        loaded = serialization.load_pem_private_key(private_pem.encode(), password=None)
        if not isinstance(loaded, rsa.RSAPrivateKey):
            raise TypeError("the kept signing key is not an RSA key")
        self.private = loaded
        self.certificate_pem = certificate_pem
        certificate = x509.load_pem_x509_certificate(certificate_pem.encode())
        self.id = sha1(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()  # noqa: S324  # a name

    @classmethod
    def of(cls, store: Store, now: datetime) -> Self:
        """The store's, made at the first start."""
        kept = store.secret(_SECRET)
        if kept is None:
            kept = _made(now)
            store.keep_secret(_SECRET, kept)
        return cls(**orjson.loads(kept))


class Tokens:
    """Mints and reads ID tokens of one project."""

    def __init__(
        self, key: SigningKey, *, project: str, life_seconds: int, now: Callable[[], float]
    ) -> None:
        self._key = key
        self._issuer = f"https://securetoken.google.com/{project}"
        self._project = project
        self._now = now
        self.life_seconds = life_seconds

    def certificates(self) -> dict[str, str]:
        return {self._key.id: self._key.certificate_pem}

    def minted(self, account: Account, sign_in: SignIn) -> str:
        now = int(self._now())
        claims = {
            **(orjson.loads(account.claims) if account.claims else {}),
            **_about(account),
            "iss": self._issuer,
            "aud": self._project,
            "auth_time": sign_in.signed_in_at,
            "user_id": account.uid,
            "sub": account.uid,
            "iat": now,
            "exp": now + self.life_seconds,
            "firebase": _firebase(account, sign_in),
        }
        return jwt.encode(claims, self._key.private, _ALGORITHM, headers={"kid": self._key.id})

    def read(self, token: str) -> Read:
        """Raises Refused: TOKEN_EXPIRED, INVALID_ID_TOKEN."""
        if len(token) > _LENGTH_MAX:
            raise Refused("INVALID_ID_TOKEN")
        try:
            claims = jwt.decode(
                token,
                self._key.private.public_key(),
                [_ALGORITHM],
                audience=self._project,
                issuer=self._issuer,
                options={"verify_exp": False, "verify_iat": False, "strict_aud": True},
            )
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refused("INVALID_ID_TOKEN") from None
        if claims["exp"] <= self._now():
            raise Refused("TOKEN_EXPIRED")
        return Read(claims["sub"], claims["iat"], _sign_in(claims))


def _about(account: Account) -> dict[str, Any]:
    claims: dict[str, Any] = {}
    if account.name:
        claims["name"] = account.name
    if account.photo_url:
        claims["picture"] = account.photo_url
    if account.email:
        claims |= {"email": account.email, "email_verified": account.email_verified}
    if account.phone:
        claims["phone_number"] = account.phone
    return claims


def _firebase(account: Account, sign_in: SignIn) -> dict[str, Any]:
    identities: dict[str, list[str]] = {}
    for link in account.links:
        identities.setdefault(link.provider, []).append(link.raw_id)
    if account.email:
        identities["email"] = [account.email]
    if account.phone:
        identities["phone"] = [account.phone]
    told: dict[str, Any] = {"identities": identities, "sign_in_provider": sign_in.provider}
    if sign_in.factor_kind:
        told["sign_in_second_factor"] = sign_in.factor_kind
        told["second_factor_identifier"] = sign_in.factor_id
    return told


def _sign_in(claims: Mapping[str, Any]) -> SignIn:
    told = claims["firebase"]
    return SignIn(
        provider=told.get("sign_in_provider", PASSWORD_PROVIDER),
        signed_in_at=claims["auth_time"],
        factor_kind=told.get("sign_in_second_factor"),
        factor_id=told.get("second_factor_identifier"),
    )


def _made(now: datetime) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _COMMON_NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + _LIFE)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    return orjson.dumps(
        {
            "private_pem": private.decode(),
            "certificate_pem": public.decode(),
        }
    ).decode()
