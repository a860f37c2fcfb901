"""Garbage, strangers and floods: never a 500, never an answer for somebody elsewhere."""

import contextlib
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.routing import Route

from adapters.clock import SystemClock
from adapters.sandbox.identity import DEMO_USERS, create_identity, demo_roles
from adapters.sandbox.identity import PASSWORD as DEMO_PASSWORD
from adapters.sandbox.identity.requests import is_local
from tests.front_door.running import Program
from tests.sandbox.identity.conftest import Refuses
from tests.sandbox.identity.service import CONTROL, PROJECT, V1, V2, Service, claims_of, ours
from tests.world import REPOSITORY

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
FIELDS = [
    "email", "password", "idToken", "localId", "oobCode", "newPassword", "requestType", "postBody",
    "requestUri", "sessionInfo", "code", "phoneNumber", "mfaPendingCredential", "mfaEnrollmentId",
    "totpVerificationInfo", "phoneVerificationInfo", "totpEnrollmentInfo", "phoneEnrollmentInfo",
    "deleteProvider", "customAttributes", "validSince", "disableUser", "refresh_token",
    "grant_type", "displayName", "federatedUserId", "localIds", "user", "newEmail",
]  # fmt: skip
NESTED = st.dictionaries(st.sampled_from(FIELDS), LEAVES, max_size=3)
VALUES = LEAVES | st.lists(LEAVES, max_size=3) | NESTED | st.lists(NESTED, max_size=2)
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)


def operations(tmp: Path) -> list[str]:
    app = create_identity(file=tmp, project=PROJECT, clock=SystemClock(), control_token=CONTROL)
    posts = [r for r in app.routes if isinstance(r, Route) and "POST" in (r.methods or ())]
    return [route.path for route in posts]


def test_garbage_is_refused_as_firebase_refuses(identity: Service, tmp_path: Path):
    paths = operations(tmp_path / "other.sqlite3")
    assert len(paths) > 20
    good = identity.sign_up(verified=True)["idToken"]

    @settings(max_examples=150, suppress_health_check=list(HealthCheck))
    @given(path=st.sampled_from(paths), body=BODIES | st.lists(LEAVES), known=st.booleans())
    def ask(path: str, body: Any, known: bool) -> None:
        if known and isinstance(body, dict):
            body = {**body, "idToken": good}
        answer = identity.http.post(
            path,
            params={"key": "x"},
            content=json.dumps(body).encode(),  # NaN and all
            headers={"authorization": "Bearer owner", "x-okd-control": CONTROL},
        )
        assert answer.status_code < 500, (path, body)
        if answer.status_code not in {200, 303} and path not in {"/emulator/action", "/consent"}:
            assert answer.json()["error"]["message"]

    ask()


@pytest.mark.parametrize(
    "raw", [b"[", b"\xff", b"[]", b'"x"', b"{" * 100_000, b'{"a":' * 5000, b"x" * 65_537]
)
def test_what_is_no_json_object_is_refused(identity: Service, raw: bytes):
    answer = identity.http.post(f"{V1}/accounts:signUp", params={"key": "x"}, content=raw)

    assert answer.status_code in {400, 413}
    assert answer.json()["error"]["code"] == answer.status_code


def test_a_burst_makes_one_account(identity: Service):
    body = {"email": "burst@example.com", "password": "correct horse"}
    path = f"{V1}/accounts:signUp"

    with ThreadPoolExecutor(8) as threads:
        asked = [
            threads.submit(identity.http.post, path, params={"key": "x"}, json=body)
            for _ in range(8)
        ]
        answers = [one.result() for one in asked]

    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    refused = [answer.json()["error"]["message"] for answer in answers if answer.status_code == 400]
    assert refused == ["EMAIL_EXISTS"] * 7


def test_what_is_not_there_says_so_as_google_does(identity: Service):
    for path in (f"{V1}/accounts:nothing", f"{V2}/x", "/x"):
        answer = identity.http.post(path, params={"key": "x"})
        assert answer.status_code == 404
        assert answer.json()["error"]["status"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "rebound.example"},
        {"host": "[::"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost.evil.example"},
    ],
)
def test_pages_and_names_from_elsewhere_are_refused(identity: Service, headers: dict[str, str]):
    for path in ("/mailbox", "/", f"/emulator/v1/projects/{PROJECT}/oobCodes"):
        answer = identity.http.get(path, headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_callers_from_elsewhere_are_refused():
    scope = {"type": "http", "headers": [(b"host", b"localhost")], "client": ("10.0.0.9", 1)}

    assert not is_local(Request(scope))
    assert is_local(Request({**scope, "client": ("127.0.0.1", 1)}))


def test_pages_of_this_machine_may_ask(identity: Service):
    answer = identity.http.options(
        f"{V1}/accounts:signUp",
        headers={
            "origin": "http://localhost:5173",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-client-version,x-firebase-gmpid",
        },
    )

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"


def test_every_answer_says_what_this_is_not(identity: Service):
    for path in ("/", "/mailbox", "/x"):
        assert "not Google" in identity.http.get(path).headers["x-okd-sandbox"]


def test_the_mailbox_shows_mail_without_script(identity: Service):
    name = "<script>alert(1)</script>@example.com"
    identity.accounts("signUp", email=name, password="correct horse")
    identity.accounts("sendOobCode", requestType="PASSWORD_RESET", email=name)

    page = identity.http.get("/mailbox")

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    assert 'http-equiv="refresh"' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    (message,) = identity.http.get("/mailbox.json").json()["messages"]
    assert (message["to"], message["subject"]) == (name, "Reset your password")
    form = identity.http.get(message["link"])
    assert 'name="newPassword"' in form.text


def test_the_demo_users_are_there(identity: Service):
    for user in DEMO_USERS:
        answer = identity.sign_in(user.email, DEMO_PASSWORD)
        assert answer["localId"] == user.uid
        assert ("mfaPendingCredential" in answer) is user.second_factor
    assert dict(demo_roles()) == {
        "demo-plain": "USER",
        "demo-verified": "USER",
        "demo-compliance": "COMPLIANCE",
        "demo-treasury": "TREASURY",
        "demo-admin": "ADMIN",
    }


def test_who_was_deleted_stays_deleted(tmp_path: Path, refuses: Refuses):
    with ours(tmp_path / "identity.sqlite3") as identity:
        identity.admin(":delete", localId="demo-plain")
    with ours(tmp_path / "identity.sqlite3") as identity, refuses("USER_NOT_FOUND"):
        identity.admin(":update", localId="demo-plain", displayName="x")


def test_everything_outlives_a_killed_process(tmp_path: Path, refuses: Refuses):
    file = tmp_path / "identity.sqlite3"
    with process(file) as (first, http):
        signed = Service("ours", http).sign_up(verified=True)
        lost = Service("ours", http).sign_up()
        Service("ours", http).accounts("delete", idToken=lost["idToken"])
        Service("ours", http).accounts(
            "sendOobCode", requestType="PASSWORD_RESET", email=signed["email"]
        )
        os.kill(first.process.pid, signal.SIGKILL)
        first.process.wait()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    with process(file) as (_, http):
        service = Service("ours", http)
        assert service.user(signed)["emailVerified"] is True  # the token of before: the same key
        refreshed = service.refresh(signed["refreshToken"])
        assert claims_of(refreshed)["auth_time"] == claims_of(signed)["auth_time"]
        code = service.mailed(signed["email"])
        service.accounts("resetPassword", oobCode=code, newPassword="another horse")
        with refuses("INVALID_LOGIN_CREDENTIALS"):
            service.sign_in(lost["email"])


@contextlib.contextmanager
def process(file: Path) -> Iterator[tuple[Program, httpx.Client]]:
    """``app.py identity`` as the supervisor starts it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    program = Program(
        [sys.executable, str(REPOSITORY / "app.py"), "identity"],
        {
            "OKD_ENVIRONMENT": "sandbox",
            "OKD_SECRET_KEY": "k" * 32,
            "OKD_BYBIT_ENVIRONMENT": "testnet",
            "OKD_CONTROL_TOKEN": CONTROL,
            "OKD_IDENTITY_FILE": str(file),
            "OKD_PORT": str(port),
            "DATABASE_URL": "postgresql:///unused",
            "REDIS_URL": "unix:///unused",
        },
    )
    try:
        program.until("listening")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            yield program, http
    finally:
        program.discard()
