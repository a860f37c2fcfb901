"""The services the contract is asked of, and what a client says to them."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NoReturn
from uuid import uuid4

import httpx
import jwt
import pytest

from adapters.clock import SystemClock
from adapters.sandbox.identity import create_identity
from tests import canaries
from tests.sandbox.exchange.support import served

PROJECT = "demo-okd"
CONTROL = "a token of this run"
PASSWORD = canaries.PASSWORD
V1 = "/identitytoolkit.googleapis.com/v1"
V2 = "/identitytoolkit.googleapis.com/v2"
FOLDER = Path(__file__).parent
_EMULATOR_SECONDS = 100.0
Json = dict[str, Any]


class ShiftedClock:
    """The system's, moved ahead by hand."""

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._system = SystemClock()

    def now(self) -> datetime:
        return self._system.now() + self.ahead

    def monotonic(self) -> float:
        return self._system.monotonic()

    def pass_by(self, **units: float) -> None:
        self.ahead += timedelta(**units)


class RefusalError(Exception):
    """The service said no."""

    def __init__(self, answer: httpx.Response) -> None:
        error = answer.json()["error"]
        self.status = answer.status_code
        self.message = str(error["message"])
        super().__init__(self.message)
        assert error["code"] == answer.status_code

    @property
    def code(self) -> str:
        return self.message.split(" : ")[0]


@dataclass
class Service:
    """One of them: what Firebase's REST clients send, by its names."""

    name: str
    http: httpx.Client
    clock: ShiftedClock = field(default_factory=ShiftedClock)

    @property
    def host(self) -> str:
        return f"{self.http.base_url.host}:{self.http.base_url.port}"

    def lacks(self, what: str) -> None:
        """Skip where Google's emulator is known not to be like Google."""
        if self.name == "google":
            pytest.skip(f"Google's emulator {what}")

    def ask(self, operation: str, body: object = None, *, v2: bool = False, **headers: str) -> Json:
        """POST to an operation. Raises RefusalError."""
        path = f"{V2 if v2 else V1}/{operation}"
        return _told(self.http.post(path, params={"key": "any"}, json=body or {}, headers=headers))

    def accounts(self, operation: str, **body: object) -> Json:
        given = {name: value for name, value in body.items() if value is not None}
        return self.ask(f"accounts:{operation}", given)

    def factors(self, operation: str, **body: object) -> Json:
        return self.ask(f"accounts/{operation}", body, v2=True)

    def admin(self, operation: str, **body: object) -> Json:
        path = f"projects/{PROJECT}/accounts{operation}"
        return self.ask(path, body, authorization="Bearer owner")

    def refresh(self, token: str) -> Json:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        path = "/securetoken.googleapis.com/v1/token"
        return _told(self.http.post(path, params={"key": "any"}, data=form))

    def sign_up(self, email: str | None = None, *, verified: bool = False) -> Json:
        """A new account; with ``verified`` the mailed link was followed."""
        signed = self.accounts("signUp", email=email or new_email(), password=PASSWORD)
        if verified:
            self.verify(signed)
            return self.sign_in(signed["email"])
        return signed

    def sign_in(self, email: str, password: str = PASSWORD) -> Json:
        return self.accounts("signInWithPassword", email=email, password=password)

    def sign_in_with(self, provider: str, claims: object, **more: object) -> Json:
        text = claims if isinstance(claims, str) else json.dumps(claims)
        post = httpx.QueryParams({"id_token": text, "providerId": provider})
        uri = "http://localhost"
        return self.accounts("signInWithIdp", requestUri=uri, postBody=str(post), **more)

    def verify(self, signed: Json) -> None:
        self.accounts("sendOobCode", requestType="VERIFY_EMAIL", idToken=signed["idToken"])
        self.accounts("update", oobCode=self.mailed(signed["email"]))

    def user(self, signed: Json) -> Json:
        (user,) = self.accounts("lookup", idToken=signed["idToken"])["users"]
        return dict(user)

    def mailed(self, email: str) -> str:
        """The newest unused code that was mailed to somebody."""
        listed = self.listed("oobCodes")
        return str([code["oobCode"] for code in listed if code["email"] == email][-1])

    def texted(self, session: str) -> str:
        """The code of a text message."""
        listed = self.listed("verificationCodes")
        (code,) = [sent["code"] for sent in listed if sent["sessionInfo"] == session]
        return str(code)

    def listed(self, what: str) -> list[Json]:
        answer = self.http.get(f"/emulator/v1/projects/{PROJECT}/{what}").json()
        return list(answer[what])

    def enrol_phone(self, signed: Json, phone: str) -> Json:
        """A phone as second factor."""
        started = self.factors(
            "mfaEnrollment:start",
            idToken=signed["idToken"],
            phoneEnrollmentInfo={"phoneNumber": phone},
        )
        session = started["phoneSessionInfo"]["sessionInfo"]
        return self.factors(
            "mfaEnrollment:finalize",
            idToken=signed["idToken"],
            displayName="Phone",
            phoneVerificationInfo={"sessionInfo": session, "code": self.texted(session)},
        )


def claims_of(answer: Json) -> Json:
    """What an ID token says, whoever signed it."""
    token = answer.get("idToken") or answer["id_token"]
    return dict(jwt.decode(token, options={"verify_signature": False}))


def new_email() -> str:
    return f"ann-{uuid4().hex[:12]}@example.com"


def new_phone() -> str:
    return f"+1650555{uuid4().int % 10_000:04d}"


@contextlib.contextmanager
def ours(file: Path, *, token_life_seconds: int = 3600) -> Iterator[Service]:
    clock = ShiftedClock()
    app = create_identity(
        file=file,
        project=PROJECT,
        clock=clock,
        control_token=CONTROL,
        token_life_seconds=token_life_seconds,
    )
    with served(app) as server, httpx.Client(base_url=server.http, trust_env=False) as http:
        yield Service("ours", http, clock)


@contextlib.contextmanager
def googles(folder: Path) -> Iterator[Service]:
    """Google's own emulator, from its pinned package."""
    packages = installed("google")
    port, hub, logging = free_port(), free_port(), free_port()
    config = folder / "firebase.json"
    emulators = {
        "auth": {"host": "127.0.0.1", "port": port},
        "hub": {"host": "127.0.0.1", "port": hub},
        "logging": {"host": "127.0.0.1", "port": logging},
        "ui": {"enabled": False},
    }
    config.write_text(json.dumps({"emulators": emulators}))
    words = ["emulators:start", "--only=auth", f"--project={PROJECT}", f"--config={config}"]
    with (folder / "emulator.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # the package's own program
            [str(packages / "node_modules" / ".bin" / "firebase"), *words],
            cwd=folder,
            env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            _await_emulator(http, process, folder / "emulator.log")
            # As new projects of Google's are.
            http.patch(
                f"{V2}/projects/{PROJECT}/config",
                params={"updateMask": "emailPrivacyConfig"},
                headers={"authorization": "Bearer owner"},
                json={"emailPrivacyConfig": {"enableImprovedEmailPrivacy": True}},
            ).raise_for_status()
            yield Service("google", http)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def installed(name: str) -> Path:
    """The npm package in the folder ``name``, installed once per lock; never into the tree."""
    lock = FOLDER / name / "package-lock.json"
    if shutil.which("npm") is None:
        _missing("node and npm are not installed")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "okd-npm"
    place = caches / f"{name}-{sha256(lock.read_bytes()).hexdigest()[:16]}"
    if (place / "complete").exists():
        return place
    # Beside its place and moved there: two runs may install at once, and one may be interrupted.
    fresh = caches / f"{place.name}.{uuid4().hex}"
    shutil.copytree(lock.parent, fresh, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts"],  # noqa: S607
        cwd=fresh,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shutil.rmtree(fresh)
        _missing(f"npm could not install {name}: {done.stderr[-500:]}")
    (fresh / "complete").touch()
    try:
        fresh.rename(place)
    except OSError:  # Another run was first.
        shutil.rmtree(fresh)
    return place


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def free_port() -> int:
    """One that was free a moment ago: the emulator takes no socket that is open already."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _await_emulator(http: httpx.Client, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _EMULATOR_SECONDS
    while True:
        with contextlib.suppress(httpx.TransportError):
            if http.get("/").json()["authEmulator"]["ready"]:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _told(answer: httpx.Response) -> Json:
    if answer.status_code != httpx.codes.OK:
        raise RefusalError(answer)
    return dict(answer.json())
