"""The demo users every sandbox begins with.

Their roles are rows of the product's own database, which whoever puts the product together seeds
from ``DEMO_USERS``: identities know nothing of them.
"""

from dataclasses import dataclass

from adapters.sandbox.identity import totp
from adapters.sandbox.identity.accounts import Account, Factor
from adapters.sandbox.identity.realm import Realm

DOMAIN = "okd.example"
# Written in docs/identity.md: these accounts guard nothing but play money on one machine.
PASSWORD = "okd-sandbox"  # noqa: S105
# Longer ago than the cool-down of a new factor (24 h), or nobody could step up for a day.
_ENROLLED_SECONDS_AGO = 48 * 3600
_SEEDED = "demo-users"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """One of them; ``role`` is what the product's database is to say."""

    name: str
    display_name: str
    role: str
    second_factor: bool

    @property
    def uid(self) -> str:
        """Fixed, so that who seeds roles has to ask nobody."""
        return f"demo-{self.name}"

    @property
    def email(self) -> str:
        return f"{self.name}@{DOMAIN}"


DEMO_USERS = (
    DemoUser("plain", "Paula Plain", "USER", second_factor=False),
    DemoUser("verified", "Vera Verified", "USER", second_factor=True),
    DemoUser("compliance", "Carl Compliance", "COMPLIANCE", second_factor=True),
    DemoUser("treasury", "Tess Treasury", "TREASURY", second_factor=True),
    DemoUser("admin", "Ada Admin", "ADMIN", second_factor=True),
)


def demo_roles() -> tuple[tuple[str, str], ...]:
    """(uid, role) of each demo user."""
    return tuple((user.uid, user.role) for user in DEMO_USERS)


async def seed(realm: Realm) -> None:
    """Make them at the first start only: whoever was deleted stays deleted."""
    if realm.store.secret(_SEEDED) is not None:
        return
    kept = await realm.passwords.hashed(PASSWORD)
    with realm.store.transaction():
        for user in DEMO_USERS:
            realm.store.save(_account(user, kept, realm.now()))
        realm.store.keep_secret(_SEEDED, "done")


def demo_codes(realm: Realm) -> list[dict[str, str]]:
    """The code each demo user's app shows now; of nobody who has taken that app away."""
    codes = []
    for user in DEMO_USERS:
        account = realm.store.by_email(user.email)
        factor = account.factor(_factor_id(user)) if account else None
        if factor is not None:
            code = totp.usable_code(factor, realm.now())
            codes.append({"email": user.email, "mfaEnrollmentId": factor.id, "code": code})
    return codes


def _factor_id(user: DemoUser) -> str:
    return f"totp-{user.name}"


def _account(user: DemoUser, password: str, now: float) -> Account:
    account = Account(
        uid=user.uid,
        created_at=now - _ENROLLED_SECONDS_AGO,
        email=user.email,
        email_verified=True,
        name=user.display_name,
        password=password,
        password_changed_at=now - _ENROLLED_SECONDS_AGO,
    )
    if user.second_factor:
        enrolled = now - _ENROLLED_SECONDS_AGO
        secret = totp.new_secret()
        account.factors.append(Factor(_factor_id(user), "Demo app", enrolled, secret))
    return account
