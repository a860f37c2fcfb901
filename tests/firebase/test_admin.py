"""Administration through the real firebase-admin, against an Identity Toolkit that has faults."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from firebase_admin import exceptions
from google.auth.exceptions import DefaultCredentialsError, TransportError
from structlog.testing import capture_logs

from adapters.clock import SystemClock
from adapters.firebase import FirebaseAdmin
from adapters.firebase.admin import _QUEUE_MAX, THREADS
from adapters.firebase.sdk import Sdk, translated
from adapters.resilience import BreakerState, CircuitBreaker
from domain.kernel.failures import Failure, Rejected, TimedOut, Unavailable
from domain.users.model import Identity
from tests.firebase.source import Answer, HttpServer
from tests.firebase.tokens import PROJECT
from tests.world import eventually

ANN = Identity(PROJECT, "", "uid-ann-canary")
RECORD: dict[str, Any] = {
    "localId": ANN.uid,
    "email": "canary@example.org",
    "validSince": "1764000000",
    "createdAt": "1763000000000",
    "disabled": False,
    "mfaInfo": [
        {"mfaEnrollmentId": "a", "totpInfo": {}, "enrolledAt": "2026-01-05T10:00:00.123456789Z"},
        {"mfaEnrollmentId": "b", "totpInfo": {}, "enrolledAt": "2026-11-20T10:00:00Z"},
        {"mfaEnrollmentId": "c", "phoneInfo": "+15550100", "enrolledAt": "2026-03-01T10:00:00Z"},
    ],
}


def found(**changes: object) -> Answer:
    return Answer(200, orjson.dumps({"users": [RECORD | changes]}))


def refused(status: int, message: object) -> Answer:
    return Answer(status, orjson.dumps({"error": {"code": status, "message": message}}))


@pytest.fixture
async def toolkit(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[HttpServer]:
    async with HttpServer().running() as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        server.by_path = {"accounts:lookup": found()}
        yield server


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker("identity", clock=SystemClock())


@pytest.fixture
async def admin(toolkit: HttpServer, breaker: CircuitBreaker) -> AsyncIterator[FirebaseAdmin]:
    made = FirebaseAdmin(
        project=PROJECT, service_account=None, breaker=breaker, timeout_seconds=2.0
    )
    yield made
    toolkit.released.set()
    await made.aclose()


async def test_says_what_firebase_says(admin: FirebaseAdmin) -> None:
    account = await admin.account(ANN)

    assert account is not None
    assert account.disabled is False
    assert account.valid_since == datetime(2025, 11, 24, 16, tzinfo=UTC)
    # The newest of a kind: a second one may be a thief's.
    assert account.second_factors == {
        "totp": datetime(2026, 11, 20, 10, tzinfo=UTC),
        "phone": datetime(2026, 3, 1, 10, tzinfo=UTC),
    }


async def test_writes_what_is_asked(admin: FirebaseAdmin, toolkit: HttpServer) -> None:
    toolkit.answer = Answer(200, orjson.dumps({"localId": ANN.uid, "kind": "x"}))

    await admin.revoke_tokens(ANN)
    await admin.disable(ANN, disabled=True)
    await admin.set_claims(ANN, {"roles": ["SUPPORT"]})
    await admin.delete(ANN)

    sent = [orjson.loads(body) for path, body in toolkit.asked if path.endswith(":update")]
    assert sent[0]["localId"] == ANN.uid
    assert int(sent[0]["validSince"]) > 1_700_000_000
    assert sent[1]["disableUser"] is True
    assert orjson.loads(sent[2]["customAttributes"]) == {"okd": {"roles": ["SUPPORT"]}}
    assert toolkit.asked[-1][0].endswith("/accounts:delete")


ANSWERS = [
    ("nobody", Answer(200, b"{}"), None),
    ("user not found", refused(400, "USER_NOT_FOUND"), None),
    # The library tries again for seven seconds; ours are over sooner.
    ("503", Answer(503, b""), TimedOut),
    ("quota", refused(429, "TOO_MANY_ATTEMPTS_TRY_LATER : canary"), Unavailable),
    ("429", Answer(429, b"{}"), Unavailable),
    ("HTML", Answer(200, b"<html>canary</html>"), Unavailable),
    ("HTML and 400", Answer(400, b"<html>canary</html>"), Rejected),
    ("message is a number", refused(400, 5), Unavailable),
    ("a list", Answer(200, b"[]"), None),
    ("users are words", Answer(200, b'{"users": ["x"]}'), Rejected),
    ("factor without a time", found(mfaInfo=[{"totpInfo": {}}]), Unavailable),
    ("factor of no offset", found(mfaInfo=[{"enrolledAt": "2026-01-01T00:00"}]), Unavailable),
    ("not let in", refused(403, "INSUFFICIENT_PERMISSION"), Rejected),
    ("our mistake", refused(400, "INVALID_ID_TOKEN canary"), Rejected),
]


@pytest.mark.parametrize(
    ("answer", "wanted"), [a[1:] for a in ANSWERS], ids=[a[0] for a in ANSWERS]
)
async def test_every_answer_is_one_of_our_words(
    admin: FirebaseAdmin,
    toolkit: HttpServer,
    answer: Answer,
    wanted: type[Failure] | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    toolkit.by_path["accounts:lookup"] = answer

    with capture_logs() as logs:
        if wanted is None:
            assert await admin.account(ANN) is None
        else:
            with pytest.raises(wanted) as raised:
                await admin.account(ANN)
            assert "canary" not in repr(raised.value) + str(raised.value.__cause__)
            assert len(logs) == (wanted is not TimedOut)
    assert "canary" not in repr(logs) + caplog.text


async def test_nobody_left_to_revoke_or_delete_is_fine(
    admin: FirebaseAdmin, toolkit: HttpServer
) -> None:
    toolkit.answer = refused(400, "USER_NOT_FOUND")

    await admin.revoke_tokens(ANN)
    await admin.delete(ANN)

    assert len(toolkit.asked) == 2


async def test_nobody_there_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, breaker: CircuitBreaker
) -> None:
    async with HttpServer().running() as gone:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", gone.host)
    admin = FirebaseAdmin(
        project=PROJECT, service_account=None, breaker=breaker, timeout_seconds=10.0
    )

    with pytest.raises(Unavailable):
        await admin.account(ANN)
    await admin.aclose()


async def test_a_service_that_fails_opens_the_breaker_within_the_deadline(
    admin: FirebaseAdmin, toolkit: HttpServer, breaker: CircuitBreaker
) -> None:
    await admin.account(ANN)  # what the library costs once is not the service's doing
    toolkit.by_path["accounts:lookup"] = Answer(hang=True)

    async with asyncio.timeout(6):
        outcomes = await asyncio.gather(
            *(admin.account(ANN) for _ in range(THREADS + 4)), return_exceptions=True
        )

    assert {type(outcome) for outcome in outcomes} <= {TimedOut, Unavailable}
    assert breaker.state is BreakerState.OPEN
    asked = len(toolkit.asked)
    with pytest.raises(Unavailable):
        await admin.account(ANN)
    assert len(toolkit.asked) == asked


async def test_no_more_wait_than_can_be_served(admin: FirebaseAdmin, toolkit: HttpServer) -> None:
    await admin.account(ANN)
    toolkit.by_path["accounts:lookup"] = Answer(hang=True)
    waiting = [asyncio.ensure_future(admin.account(ANN)) for _ in range(_QUEUE_MAX)]
    await eventually(lambda: len(toolkit.asked) == 1 + THREADS)

    with pytest.raises(Unavailable):
        await admin.account(ANN)

    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert len(toolkit.asked) == 1 + THREADS
    toolkit.by_path["accounts:lookup"] = found()
    toolkit.released.set()
    assert await admin.account(ANN) is not None


async def test_two_live_side_by_side_and_end_by_themselves(
    toolkit: HttpServer, breaker: CircuitBreaker
) -> None:
    one, other = (
        FirebaseAdmin(project=PROJECT, service_account=None, breaker=breaker) for _ in range(2)
    )
    assert await one.account(ANN) is not None
    await one.aclose()
    assert await other.account(ANN) is not None
    await other.aclose()


RAISED = [
    (exceptions.UnavailableError("canary"), Unavailable),
    (exceptions.InternalError("canary"), Unavailable),
    (exceptions.UnknownError("canary"), Unavailable),
    (exceptions.ResourceExhaustedError("canary"), Unavailable),
    (exceptions.DeadlineExceededError("canary"), TimedOut),
    (TransportError("canary"), Unavailable),  # type: ignore[no-untyped-call]  # google's
    (DefaultCredentialsError("canary"), Unavailable),  # type: ignore[no-untyped-call]
    (exceptions.PermissionDeniedError("canary"), Rejected),
    (exceptions.InvalidArgumentError("canary"), Rejected),
    (ValueError("canary"), Rejected),
    (TypeError("canary"), Rejected),
    (KeyError("canary"), Unavailable),
]


@pytest.mark.parametrize(("error", "wanted"), RAISED, ids=lambda value: repr(value)[:40])
def test_the_table_of_failures(error: Exception, wanted: type[Failure]) -> None:
    def ask() -> None:
        raise error

    with capture_logs() as logs, pytest.raises(wanted) as raised:
        translated(ask)

    assert type(raised.value) is wanted
    assert raised.value.__cause__ is None
    assert "canary" not in repr(logs)
    severe = [line["log_level"] for line in logs]
    assert severe in (["warning"], ["error"] * isinstance(error, DefaultCredentialsError), [])


def test_a_key_that_is_none_is_refused_without_its_text() -> None:
    with pytest.raises(ValueError, match="service account") as raised:
        Sdk(project=PROJECT, tenant="", service_account='{"canary": 1}', timeout_seconds=1.0)
    assert "canary" not in str(raised.value)
    assert raised.value.__cause__ is None
