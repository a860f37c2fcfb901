from datetime import UTC, datetime

import pytest
import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError

from adapters.bybit.errors import (
    TREATMENTS,
    Banned,
    Treatment,
    VenueRejected,
    failure_of,
    outcome_unknown,
)
from domain.kernel.failures import Failure, Rejected, TimedOut, Unavailable

NOW = datetime(2026, 8, 9, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)

FAILURES: dict[Treatment, type[Failure]] = {
    Treatment.SERVER_FAILED: TimedOut,
    Treatment.THROTTLED: Unavailable,
    Treatment.BANNED: Banned,
    Treatment.CLOCK_SKEWED: Unavailable,
    Treatment.IN_PROGRESS: Unavailable,
}


def refused(code: int, headers: dict[str, str] | None = None) -> InvalidRequestError:
    return InvalidRequestError(
        request="POST x", message="no", status_code=code, time="0", resp_headers=headers
    )


def failed(status: int, headers: dict[str, str] | None = None) -> FailedRequestError:
    return FailedRequestError(
        request="POST x", message="no", status_code=status, time="0", resp_headers=headers
    )


@pytest.mark.parametrize(("code", "treatment"), sorted(TREATMENTS.items()))
def test_every_known_return_code_has_its_failure(code: int, treatment: Treatment) -> None:
    failure = failure_of(refused(code), now=NOW)

    assert type(failure) is FAILURES.get(treatment, VenueRejected)
    assert failure.what == "exchange"
    if isinstance(failure, VenueRejected):
        assert (failure.ret_code, failure.treatment) == (code, treatment)


@pytest.mark.parametrize(("code", "treatment"), sorted(TREATMENTS.items()))
def test_a_write_is_of_unknown_outcome_only_when_the_server_failed(
    code: int, treatment: Treatment
) -> None:
    unknown = treatment is Treatment.SERVER_FAILED

    assert outcome_unknown(refused(code)) is unknown
    assert (type(failure_of(refused(code), now=NOW, write=True)) is TimedOut) is unknown


def test_an_unknown_return_code_is_a_refusal() -> None:
    failure = failure_of(refused(424242), now=NOW)

    assert isinstance(failure, VenueRejected)
    assert failure.treatment is None


@pytest.mark.parametrize(
    ("error", "read", "write"),
    [
        (failed(400), VenueRejected, VenueRejected),
        (failed(403), Banned, Banned),
        (failed(404), VenueRejected, VenueRejected),
        (failed(409), Unavailable, TimedOut),
        (failed(429), Unavailable, Unavailable),
        (failed(500), Unavailable, TimedOut),
        (failed(503), Unavailable, TimedOut),
        (requests.ConnectTimeout(), Unavailable, Unavailable),
        (requests.ReadTimeout(), TimedOut, TimedOut),
        (requests.ConnectionError(), Unavailable, TimedOut),
        (requests.exceptions.SSLError(), Unavailable, TimedOut),
        (requests.exceptions.ChunkedEncodingError(), Unavailable, TimedOut),
    ],
)
def test_statuses_and_network_errors(
    error: Exception, read: type[Failure], write: type[Failure]
) -> None:
    assert type(failure_of(error, now=NOW)) is read
    assert type(failure_of(error, now=NOW, write=True)) is write


@pytest.mark.parametrize(
    ("reset", "wait"),
    [
        (None, 1.0),
        ("", 1.0),
        ("soon", 1.0),
        ("-5", 1.0),
        ("9" * 40, 1.0),
        (str(NOW_MS + 1500), 1.5),
        (str(NOW_MS - 9000), 0.1),
        (str(NOW_MS + 10**9), 60.0),
    ],
)
def test_a_throttled_call_comes_back_at_the_reset(reset: str | None, wait: float) -> None:
    headers = {} if reset is None else {"X-Bapi-Limit-Reset-Timestamp": reset}

    for error in (refused(10006, headers), failed(429, headers)):
        failure = failure_of(error, now=NOW)
        assert failure.retry_after_seconds == pytest.approx(wait)


def test_no_vendor_text_reaches_a_client() -> None:
    failure = failure_of(refused(10001), now=NOW)

    assert isinstance(failure, Rejected)
    assert failure.message == "The exchange refused the request."
