"""Keys of the test's own, and ID tokens signed with them: valid by default."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

PROJECT = "demo-okd"
CANARY = "canary@example.org"


@dataclass(frozen=True)
class SigningKey:
    id: str
    private: RSAPrivateKey
    certificate: str


@cache
def signing_key(key_id: str) -> SigningKey:
    private = generate_private_key(65537, 2048)
    return SigningKey(key_id, private, _certificate(private))


def ec_certificate() -> str:
    return _certificate(generate_ec(SECP256R1()))


def published(*key_ids: str) -> dict[str, str]:
    return {key_id: signing_key(key_id).certificate for key_id in key_ids}


def claims(now: int, **changes: Any) -> dict[str, Any]:
    """What Firebase would say; a change to None takes the claim away."""
    valid: dict[str, Any] = {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": "uid-ann",
        "user_id": "uid-ann",
        "auth_time": now - 60,
        "iat": now - 60,
        "exp": now + 3540,
        "email": CANARY,
        "email_verified": True,
        "firebase": {"identities": {}, "sign_in_provider": "password"},
    }
    return {name: value for name, value in (valid | changes).items() if value is not None}


def token(
    now: int, *, key: str = "first", headers: dict[str, Any] | None = None, **changes: Any
) -> str:
    header = {"alg": "RS256", "typ": "JWT", "kid": key} | (headers or {})
    return written(header, claims(now, **changes), key=key)


def written(header: object, payload: object, *, key: str | None = "first") -> str:
    """A token of any header and payload, truly signed with ``key`` or not at all."""
    return signed(orjson.dumps(header), orjson.dumps(payload), key=key)


def signed(header: bytes, payload: bytes, *, key: str | None = "first") -> str:
    text = f"{_base64(header)}.{_base64(payload)}"
    if key is None:
        return f"{text}."
    algorithm = jwt.get_algorithm_by_name("RS256")
    return f"{text}.{_base64(algorithm.sign(text.encode(), signing_key(key).private))}"


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _certificate(private: Any) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "securetoken.test")])
    now = datetime.now(UTC)  # noqa: DTZ005, RUF100, TID251
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=10))
    )
    signed_by_itself = built.sign(private, hashes.SHA256())
    return signed_by_itself.public_bytes(Encoding.PEM).decode()
