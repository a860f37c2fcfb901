"""The search for leaks finds them; that there are none is asked of every line of a run."""

from pathlib import Path

import pytest

from tests import canaries
from tests.leaks import leaks, leaks_in

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
REFRESH = "aB3-" * 32
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CRASH = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nKeyError: 3\n'


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (f"reason={TOKEN}", ["a token"]),
        (f"authorization: Bearer {TOKEN}", ["a token", "a bearer"]),
        ("sent to ann@example.org", ["an e-mail address"]),
        ("postgresql://okd:hunter2@db/okd", ["a password of an address"]),
        ("signed with k-of-this-run!", ["a secret of this run"]),
        ("texted +16505550147", ["a telephone number"]),
        (f"refreshed by {REFRESH}", ["a refresh token"]),
        (f"enrolled {TOTP}", ["a TOTP secret"]),
        (f"born on {canaries.BIRTHDAY}", ["a secret of this run"]),
        (f"of {canaries.NAME}.", ["a secret of this run"]),
        (f"from {canaries.HOME}:4711", ["a secret of this run"]),
        ("sent to a***@example.org by Bearer ***, postgresql://okd:***@db/okd", []),
        ("GET /robot/v1/metadata/x509/securetoken@system.gserviceaccount.com", []),
        (f"at {canaries.BIRTHDAY}77 from {canaries.HOME}4, 12:00:00.000000+00:00", []),
        ("canary", ["a secret of this run"]),
    ],
)
def test_a_leak_is_found_and_not_repeated(tmp_path: Path, line: str, found: list[str]):
    (tmp_path / "secret.key").write_text("k-of-this-run!\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "web.log").write_text(f"fine\n{line}\n")
    (tmp_path / "postgres.log").write_text(f"{line}\n")

    told = list(leaks(tmp_path, "canary"))

    assert [": ".join(finding.split(": ")[:2]) for finding in told] == [
        *(f"web.log:2: {what}" for what in found),
        *(f"postgres.log:1: {what}" for what in found),
    ]
    for secret in (TOKEN, "ann@", "hunter2", "k-of", "+1650", REFRESH, TOTP, *canaries.ALL):
        assert secret not in str(told)


@pytest.mark.parametrize(
    ("line", "logger"),
    [
        ('{"event":"sent","to":"ann@example.org","logger":"adapters.mail"}', "adapters.mail"),
        ("2026-11-22 [info     ] sent   [adapters.mail] to=x@y.org", ""),
        ("2026-11-22 [warning  ] ann@example.org is away [adapters.mail]", "adapters.mail"),
        ("WARNING  adapters.mail:mail.py:7 ann@example.org is away", "adapters.mail"),
    ],
)
def test_who_wrote_it_is_told(line: str, logger: str):
    (told,) = leaks_in(line, "x")

    assert told.startswith(f"x:1: an e-mail address{f' by {logger}' if logger else ''}: ")


@pytest.mark.parametrize(
    ("text", "provoked", "found"),
    [
        (CRASH, [], ["x: a traceback: KeyError: 3"]),
        (CRASH, ["KeyError: 3"], []),
        (CRASH, ["KeyError: 4"], ["x: a traceback: KeyError: 3"]),
        (f"{CRASH}fine\n{CRASH.replace('3', '4')}", ["KeyError: 3"],
         ["x: a traceback: KeyError: 4"]),
        ('{"exception":"Traceback (most recent call last):\\n  File\\nKeyError: 3"}', [],
         ['x: a traceback: KeyError: 3"}']),
        ("Traceback (most recent call last)", [], ["x: a traceback: of which no end was seen"]),
    ],
)  # fmt: skip
def test_a_traceback_nobody_declared_is_found(text: str, provoked: list[str], found: list[str]):
    assert list(leaks_in(text, "x", provoked=provoked)) == found
