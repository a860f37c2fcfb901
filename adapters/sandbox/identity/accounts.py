"""An account as it is kept, and as Firebase's answers show it."""

from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Self

import orjson

PASSWORD_PROVIDER = "password"  # noqa: S105  # a word of Firebase's
PHONE_PROVIDER = "phone"


@dataclass(slots=True)
class Link:
    """A provider's account that signs in here; Firebase v1 ProviderUserInfo."""

    provider: str
    raw_id: str
    email: str | None = None
    name: str | None = None
    photo_url: str | None = None


@dataclass(slots=True)
class Factor:
    """An enrolled second factor: a TOTP secret or a phone number."""

    id: str
    name: str | None
    enrolled_at: float
    secret: str | None = None
    phone: str | None = None
    last_step: int = 0
    """The newest TOTP step that was used up: no code is taken twice."""

    @property
    def kind(self) -> str:
        return "totp" if self.secret is not None else "phone"


@dataclass(slots=True)
class Account:
    """One account. Times in seconds since 1970."""

    uid: str
    created_at: float
    email: str | None = None
    email_verified: bool = False
    phone: str | None = None
    name: str | None = None
    photo_url: str | None = None
    disabled: bool = False
    last_login_at: float | None = None
    last_refresh_at: float | None = None
    valid_since: int = 0
    """Tokens issued before this second are revoked."""
    password: str | None = None
    """``salt:hash`` of scrypt, in hexadecimal."""
    password_changed_at: float | None = None
    claims: str = ""
    """Custom claims as their JSON text, as administrators gave it."""
    links: list[Link] = field(default_factory=list)
    factors: list[Factor] = field(default_factory=list)

    def to_json(self) -> bytes:
        return orjson.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        kept = orjson.loads(text)
        kept["links"] = [Link(**link) for link in kept["links"]]
        kept["factors"] = [Factor(**factor) for factor in kept["factors"]]
        return cls(**kept)

    def link_of(self, provider: str) -> Link | None:
        return next((link for link in self.links if link.provider == provider), None)

    def unlink(self, provider: str) -> None:
        self.links = [link for link in self.links if link.provider != provider]

    def factor(self, factor_id: str | None) -> Factor | None:
        return next((factor for factor in self.factors if factor.id == factor_id), None)

    def providers(self) -> list[dict[str, Any]]:
        """``providerUserInfo``: password and phone are providers, too."""
        listed = [_linked(link, self.email) for link in self.links]
        if self.password and self.email:
            name = {"displayName": self.name, "photoUrl": self.photo_url}
            of_email = {"email": self.email, "federatedId": self.email, "rawId": self.email}
            listed.append(given({"providerId": PASSWORD_PROVIDER, **of_email, **name}))
        if self.phone:
            number = {"phoneNumber": self.phone, "rawId": self.phone}
            listed.append({"providerId": PHONE_PROVIDER, **number})
        return listed

    def shown(self) -> dict[str, Any]:
        """``users[]`` of a look-up; never the password's hash."""
        return given(
            {
                "localId": self.uid,
                "email": self.email,
                "emailVerified": self.email_verified if self.email else None,
                "phoneNumber": self.phone,
                "displayName": self.name,
                "photoUrl": self.photo_url,
                "disabled": self.disabled or None,
                "createdAt": _milliseconds(self.created_at),
                "lastLoginAt": _milliseconds(self.last_login_at),
                "lastRefreshAt": None
                if self.last_refresh_at is None
                else iso(self.last_refresh_at),
                "validSince": str(self.valid_since) if self.valid_since else None,
                "passwordUpdatedAt": _whole_milliseconds(self.password_changed_at),
                "customAttributes": self.claims or None,
                "providerUserInfo": self.providers(),
                "mfaInfo": self.enrolments() or None,
            }
        )

    def enrolments(self) -> list[dict[str, Any]]:
        """``mfaInfo``: phone numbers are masked as Firebase masks them."""
        return [
            given(
                {
                    "mfaEnrollmentId": factor.id,
                    "displayName": factor.name,
                    "enrolledAt": iso(factor.enrolled_at),
                    "phoneInfo": _masked(factor.phone) if factor.phone else None,
                    "totpInfo": {} if factor.secret else None,
                }
            )
            for factor in self.factors
        ]


def given(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what is not set: Google's JSON leaves it away."""
    return {name: value for name, value in answer.items() if value is not None}


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _linked(link: Link, email: str | None) -> dict[str, Any]:
    return given(
        {
            "providerId": link.provider,
            "rawId": link.raw_id,
            "federatedId": link.raw_id,
            "email": link.email or email,
            "displayName": link.name,
            "photoUrl": link.photo_url,
        }
    )


def _masked(phone: str) -> str:
    return f"+{'*' * (len(phone) - 5)}{phone[-4:]}"


def _milliseconds(at: float | None) -> str | None:
    return None if at is None else str(int(at * 1000))


def _whole_milliseconds(at: float | None) -> int | None:
    return None if at is None else int(at * 1000)
