"""The identity service in the whole world: its tokens, its mailbox, its sudden end."""

import subprocess
import sys

import httpx
import pytest

from adapters.firebase import Certificates, TokenVerifier
from adapters.sandbox.identity import CERTIFICATES_PATH
from domain.users.model import SignIn
from tests.e2e.sandbox import Sandbox
from tests.sandbox.identity.service import PROJECT, Service
from tests.sandbox.identity.test_tokens import Nothing
from tests.world import REPOSITORY, eventually

pytestmark = pytest.mark.xdist_group("sandbox")


def said(sandbox: Sandbox, *words: str) -> str:
    done = subprocess.run(  # noqa: S603  # our own front door
        [sys.executable, str(REPOSITORY / "dev"), *words, f"--data-dir={sandbox.data_dir}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


async def test_a_printed_token_is_verified_as_in_production(sandbox: Sandbox):
    async with httpx.AsyncClient() as http:
        url = f"{sandbox.addresses['identity']}{CERTIFICATES_PATH}"
        verifier = TokenVerifier(Certificates(url, http=http, kept=Nothing()), project=PROJECT)

        found = await verifier.verify(said(sandbox, "token", "compliance", "--second-factor"))

    assert isinstance(found, SignIn)
    assert found.identity.uid == "demo-compliance"
    assert (found.second_factor, found.email_verified) == ("totp", True)


async def test_sign_ins_outlive_the_service(sandbox: Sandbox):
    with httpx.Client(base_url=sandbox.addresses["identity"]) as http:
        service = Service("ours", http)
        signed = service.sign_up()
        first = await sandbox.kill("identity")
        await eventually(lambda: sandbox.pid_of("identity") not in {None, first})

        assert service.refresh(signed["refreshToken"])["user_id"] == signed["localId"]
        assert service.user(signed)["email"] == signed["email"]


def test_the_documents_own_words_work(sandbox: Sandbox):
    page = (REPOSITORY / "docs" / "identity.md").read_text("utf-8")

    for name in ("plain", "verified", "compliance", "treasury", "admin"):
        assert f"`{name}@okd.example`" in page
    assert "okd-sandbox" in page
    assert len(said(sandbox, "totp", "admin")) == 6
    assert said(sandbox, "token", "plain").count(".") == 2
    assert "nobody here is real" in httpx.get(sandbox.addresses["mailbox"]).text
