"""`./dev token` and `./dev totp` against the real identity service."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.devtools import identity as words
from adapters.devtools.place import here
from adapters.supervisor import StartError, instance
from tests.front_door.test_dev import dev
from tests.sandbox.identity.service import CONTROL, Service, claims_of, ours


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with ours(tmp_path_factory.mktemp("identity") / "identity.sqlite3") as service:
        yield service


@pytest.fixture
def data_dir(identity: Service, tmp_path: Path) -> Iterator[Path]:
    """The data dir of an instance whose identity service this is."""
    with instance.claimed(tmp_path / "data"):
        control = f"http://{identity.host}/control"
        addresses = {"identity_control": control, "control_token": CONTROL}
        instance.publish(tmp_path / "data", addresses)
        yield tmp_path / "data"


def test_a_token_is_printed_and_nothing_else(data_dir: Path, identity: Service):
    said = dev("token", "plain", "--data-dir", str(data_dir))

    assert (said.returncode, said.stderr) == (0, "")
    (token,) = said.stdout.splitlines()
    assert claims_of({"idToken": token})["sub"] == "demo-plain"
    assert identity.user({"idToken": token})["localId"] == "demo-plain"


def test_a_token_tells_of_a_second_factor_when_asked(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
):
    for more, factor in ([], None), (["--second-factor"], "totp"):
        words.token(here(), ["admin", f"--data-dir={data_dir}", *more])
        claims = claims_of({"idToken": capsys.readouterr().out.strip()})
        assert claims["firebase"].get("sign_in_second_factor") == factor


def test_anybody_is_named_by_address(
    data_dir: Path, identity: Service, capsys: pytest.CaptureFixture[str]
):
    signed = identity.sign_up()

    words.token(here(), [signed["email"].upper(), f"--data-dir={data_dir}"])

    claims = claims_of({"idToken": capsys.readouterr().out.strip()})
    assert claims["sub"] == signed["localId"]


def test_the_printed_code_signs_in_twice(
    data_dir: Path, identity: Service, capsys: pytest.CaptureFixture[str]
):
    # The second is the next step's: the first was used up.
    for _ in range(2):
        pending = identity.sign_in("treasury@okd.example", "okd-sandbox")
        words.totp(here(), ["treasury", f"--data-dir={data_dir}"])
        code = capsys.readouterr().out.strip()
        assert code.isdecimal()
        tokens = identity.factors(
            "mfaSignIn:finalize",
            mfaPendingCredential=pending["mfaPendingCredential"],
            mfaEnrollmentId="totp-treasury",
            totpVerificationInfo={"verificationCode": code},
        )
        assert claims_of(tokens)["firebase"]["sign_in_second_factor"] == "totp"


@pytest.mark.parametrize(
    ("act", "given", "sentence"),
    [
        (words.token, ["nobody"], r"^Nobody here has the address nobody@okd.example \(USER_NOT"),
        (words.totp, ["plain"], r"^This account has no authenticator app \(MFA_ENROLLMENT_NOT"),
        (words.token, ["plain", "--second-factor"], r"no authenticator app"),
        (words.token, [], r"^The following arguments are required: USER. See ./dev token --help"),
    ],
)
def test_a_no_is_a_sentence(data_dir: Path, act, given: list[str], sentence: str):
    with pytest.raises(StartError, match=sentence):
        act(here(), [*given, f"--data-dir={data_dir}"])


def test_the_token_of_another_run_is_refused(data_dir: Path, identity: Service):
    addresses = {"identity_control": f"http://{identity.host}/control", "control_token": "old"}
    instance.publish(data_dir, addresses)

    with pytest.raises(StartError, match=r"\(WRONG_TOKEN\)\.$"):
        words.token(here(), ["plain", f"--data-dir={data_dir}"])


def test_without_a_running_sandbox_it_says_so(tmp_path: Path):
    said = dev("token", "plain", "--data-dir", str(tmp_path))

    assert said.returncode == 1
    assert said.stderr.startswith(f"No sandbox runs on {tmp_path}. Start one with ./dev run")
    assert said.stdout == ""


def test_a_service_that_is_gone_is_a_sentence(data_dir: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    control = f"http://127.0.0.1:{port}/control"
    instance.publish(data_dir, {"identity_control": control, "control_token": CONTROL})

    with pytest.raises(StartError, match=f"identity service does not answer at {control}: "):
        words.totp(here(), ["admin", f"--data-dir={data_dir}"])
