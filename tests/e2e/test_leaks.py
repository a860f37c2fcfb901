"""The search for leaks finds them; that there are none is asked when each sandbox ends."""

from pathlib import Path

import pytest

from tests.leaks import leaks

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"reason={TOKEN}", ["a token"]),
        (f"authorization: Bearer {TOKEN}", ["a token", "a bearer"]),
        ("sent to ann@example.org", ["an e-mail address"]),
        ("postgresql://okd:hunter2@db/okd", ["a password of an address"]),
        ("signed with k-of-this-run!", ["a secret of this run"]),
        ("sent to a***@example.org by Bearer ***, postgresql://okd:***@db/okd", []),
        ("GET /robot/v1/metadata/x509/securetoken@system.gserviceaccount.com", []),
        ("canary", ["a secret of this run"]),
    ],
)
def test_a_leak_is_found_and_not_repeated(tmp_path: Path, line: str, found: list[str]):
    (tmp_path / "secret.key").write_text("k-of-this-run!\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "web.log").write_text(f"fine\n{line}\n")

    assert list(leaks(tmp_path, "canary")) == [f"web.log:2: {what}" for what in found]
