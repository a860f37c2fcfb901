"""People and sign-ins for tests: valid by default, override what matters."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from domain.users.model import Client, Identity, SignIn
from tests import canaries

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
PHONE = Client(address=canaries.HOME, agent="OKD/1.0 (iPhone)", device_id="phone-0001")
LAPTOP = Client(address=canaries.WORK, agent="Mozilla/5.0", device_id="laptop-0001")

_SIGN_IN = SignIn(
    identity=Identity("demo-okd", "", "uid-ann"),
    signed_in_at=datetime(2026, 11, 22, 14, 59, tzinfo=UTC),
    issued_at=datetime(2026, 11, 22, 14, 59, tzinfo=UTC),
    expires_at=datetime(2026, 11, 22, 15, 59, tzinfo=UTC),
    provider="password",
    second_factor=None,
    email="ann@example.org",
    email_verified=True,
    display_name=canaries.NAME,
)


def sign_in(uid: str = "uid-ann", **changes: Any) -> SignIn:
    return replace(_SIGN_IN, identity=Identity("demo-okd", "", uid), **changes)
