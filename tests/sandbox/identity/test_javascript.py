"""Firebase's own JavaScript client, which a front end would use, with ours."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.sandbox.identity.service import Service, installed


@pytest.mark.timeout(300)  # The first run installs the package.
def test_the_javascript_sdk_does_it_all(identity: Service):
    package = installed("javascript")
    flow = package / "flow.mjs"
    # Beside its packages, where node looks for them.
    flow.write_text((Path(__file__).parent / "javascript" / "flow.mjs").read_text())

    ran = subprocess.run(  # noqa: S603  # our own script
        ["node", str(flow), str(identity.http.base_url)],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == {
        "duplicate": "auth/email-already-in-use",
        "weak": "auth/weak-password",
        "sameSignIn": True,
        "name": "Ann",
        "verified": True,
        "oldSession": "auth/user-token-expired",
        "signedOut": True,
        "wrong": "auth/invalid-credential",
        "linked": ["google.com", "password"],
        "byGoogle": True,
        "unlinked": ["password"],
        "factors": ["totp"],
        "asked": "auth/multi-factor-auth-required",
        "wrongCode": "auth/invalid-verification-code",
        "secondFactor": "totp",
        "newPassword": "script@example.com",
        "deleted": "auth/invalid-credential",
        "lastTold": None,
    }
