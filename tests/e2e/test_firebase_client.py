"""A person from sign-up to freeze through Firebase's own client, Apollo Client and graphql-ws.

What the product asks of Firebase on the way (is the factor still enrolled, revoke the tokens) goes
through the real firebase-admin, in the web process.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import canaries
from tests.clients.npm import run_script, workplace
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import installed, new_email, new_phone

pytestmark = [
    pytest.mark.xdist_group("sandbox"),
    pytest.mark.timeout(300),  # the first of a machine installs the packages
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where node finds Firebase's package above, and the clients' beside the script."""
    (tmp_path / "node_modules").symlink_to(installed("javascript") / "node_modules")
    (tmp_path / "clients").mkdir()
    return workplace(tmp_path / "clients", "firebase.mjs")


def walked(sandbox: Sandbox, place: Path) -> dict[str, Any]:
    told = {
        "identity": sandbox.addresses["identity"],
        "graphql": sandbox.addresses["graphql"],
        "email": new_email(),
        "password": canaries.PASSWORD,
        "profile": {
            "displayName": canaries.NAME,
            "legalName": f"{canaries.NAME} Lee",
            "dateOfBirth": canaries.BIRTHDAY,
            "country": "DE",
            "phone": new_phone(),
        },
    }
    saw = json.loads(run_script(place, "firebase.mjs", json.dumps(told)))
    assert isinstance(saw, dict)
    return saw


def test_a_person_with_firebases_own_client(sandbox: Sandbox, place: Path):
    assert walked(sandbox, place) == {
        "mail": ["Verify your address", 200],
        "verified": [False, True, True],
        "profile": "UpdateProfileSuccess",
        "asked": "auth/multi-factor-auth-required",
        "sessions": [["laptop-0007", True, "totp"], ["phone-0007", False, None]],
        "renewed": True,
        "refreshed": True,
        "stillTwo": 2,
        "revoked": "RevokeSessionSuccess",
        "phoneClosed": [4403, "SESSION_ENDED"],
        "phoneRefused": [401, "SESSION_ENDED"],
        "phoneHeard": 1,
        "tooNew": {"__typename": "StepUpRequired", "methods": []},
        "steppedUp": "ExportMyDataSuccess",
        "spent": {"__typename": "StepUpRequired", "methods": ["totp"]},
        "frozen": "FreezeMyAccountSuccess",
        "laptopClosed": [4403, "SESSION_ENDED"],
        "laptopRefused": [403, "ACCOUNT_FROZEN"],
        "noMoreTokens": "auth/user-token-expired",
        "unharmed": "ACTIVE",
        "heard": [
            *("user.created", "session.created", "profile.updated", "session.created"),
            *("settings.updated", "session.ended", "settings.updated"),
        ],
    }
