"""Bybit's refusals in the kernel's words: the table of return codes, HTTP statuses, exceptions.

Source: Bybit v5 "Error Codes"; the column "may it be tried again" is our judgement.

requests.ConnectTimeout, ConnectionError, SSLError  -> Unavailable
requests.ReadTimeout                                -> TimedOut
HTTP 403 (address banned or region)                 -> Unavailable, ten minutes
HTTP 429                                            -> Unavailable, until the limit resets
HTTP 5xx, unreadable answers                        -> Unavailable; of a write TimedOut
retCode                                             -> by the table; an unknown one -> Rejected
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

import requests
from pybit.exceptions import FailedRequestError, InvalidRequestError

from domain.kernel.failures import Failure, Rejected, TimedOut, Unavailable

EXCHANGE = "exchange"
BANNED_SECONDS = 600.0
"""HTTP 403: more than 600 requests in 5 s from this address; Bybit asks for ten minutes' pause."""
THROTTLED_SECONDS = 1.0
"""Without a reset time: limits are per second."""
RESET_SECONDS_MAX = 60.0


class Treatment(StrEnum):
    """What a refusal means for the caller."""

    SERVER_FAILED = "SERVER_FAILED"
    """Outcome unknown: reads may be repeated, writes are looked up first."""
    THROTTLED = "THROTTLED"
    """Not executed; come back after the reset."""
    BANNED = "BANNED"
    """The address or its region is refused: stop for ten minutes."""
    CLOCK_SKEWED = "CLOCK_SKEWED"
    """Not executed: our timestamp is outside the window."""
    BAD_REQUEST = "BAD_REQUEST"
    CREDENTIALS_REFUSED = "CREDENTIALS_REFUSED"
    NOT_PERMITTED = "NOT_PERMITTED"
    """A business state of the account: region, terms, cooling-off, mode, missing permission."""
    SENT_BEFORE = "SENT_BEFORE"
    """Our id is known there: fetch what it names."""
    NOT_FOUND = "NOT_FOUND"
    ALREADY_DONE = "ALREADY_DONE"
    """The order is final; a cancel has succeeded."""
    NOTHING_CHANGED = "NOTHING_CHANGED"
    """As asked already: a success."""
    IN_PROGRESS = "IN_PROGRESS"
    """Not executed: the order is being processed; once more, shortly."""
    NO_FUNDS = "NO_FUNDS"
    OUT_OF_BOUNDS = "OUT_OF_BOUNDS"
    """Price, size, leverage, risk or count limits."""


_CODES: Mapping[Treatment, tuple[int, ...]] = {
    Treatment.SERVER_FAILED: (10000, 10016, 170001, 170007, 170032, 170146, 170147),
    Treatment.THROTTLED: (429, 10006, 10019, 10429, 20003, 170005, 170222),
    Treatment.BANNED: (403, 10018),
    Treatment.CLOCK_SKEWED: (10002,),
    Treatment.BAD_REQUEST: (10001, 10017),
    Treatment.CREDENTIALS_REFUSED: (10003, 10004, 10007, 10010, 33004, -2015),
    Treatment.NOT_PERMITTED: (
        *(10005, 10008, 10009, 10024, 10027, 10028, 100028, 110024, 110028, 110123, 110124, 110125),
        *(110132, 131004, 131083, 131088, 131089, 131093, 131227, 500010),
    ),
    Treatment.SENT_BEFORE: (10014, 110072, 131082, 131214, 170141),
    Treatment.NOT_FOUND: (110001, 170143, 170213),
    Treatment.ALREADY_DONE: (110008, 110010, 170139, 170142, 170190),
    Treatment.NOTHING_CHANGED: (34040, 110025, 110026, 110043),
    Treatment.IN_PROGRESS: (110079, 170144, 170191, 170212),
    Treatment.NO_FUNDS: (
        *(110004, 110007, 110012, 110044, 110045),
        *(131212, 131228, 170033, 170131),
    ),
    Treatment.OUT_OF_BOUNDS: (
        *(110003, 110006, 110011, 110013, 110017, 110020, 110086, 110090, 110094, 110120, 110121),
        *(170124, 170130, 170132, 170133, 170134, 170136, 170137, 170140, 170192, 170193, 170194),
        *(170371, 170372, 170810),
    ),
}
TREATMENTS: Mapping[int, Treatment] = MappingProxyType(
    {code: treatment for treatment, codes in _CODES.items() for code in codes}
)
"""Every return code we know, and how it is treated."""


class VenueRejected(Rejected):
    """Rejected, with what the venue said; for this adapter's own callers."""

    def __init__(self, ret_code: int) -> None:
        super().__init__(EXCHANGE)
        self.ret_code = ret_code
        self.treatment = TREATMENTS.get(ret_code)


class Banned(Unavailable):
    """The venue refuses our address; the breaker opens for as long."""

    def __init__(self) -> None:
        super().__init__(EXCHANGE, retry_after_seconds=BANNED_SECONDS)


def outcome_unknown(error: Exception) -> bool:
    """Whether a write that ended so may have been done: then look it up, never send it again."""
    if isinstance(error, InvalidRequestError):
        return TREATMENTS.get(error.status_code) is Treatment.SERVER_FAILED
    if isinstance(error, FailedRequestError):
        return _server_failed(error.status_code)
    return not isinstance(error, requests.ConnectTimeout)


def failure_of(error: Exception, *, now: datetime, write: bool = False) -> Failure:
    """The failure that ``error`` of pybit or requests stands for; chain it with ``from``.

    Of a ``write`` whose outcome is unknown it is always TimedOut, the kernel's word for that.
    """
    if write and outcome_unknown(error):
        return TimedOut(EXCHANGE)
    if isinstance(error, InvalidRequestError):
        return _of_ret_code(error, now)
    if isinstance(error, FailedRequestError):
        return _of_http_status(error, now)
    # A connect timeout comes first: it is a Timeout, too, and surely nothing was sent.
    if isinstance(error, requests.Timeout) and not isinstance(error, requests.ConnectTimeout):
        return TimedOut(EXCHANGE)
    return Unavailable(EXCHANGE)


def _of_ret_code(error: InvalidRequestError, now: datetime) -> Failure:
    code: int = error.status_code
    match TREATMENTS.get(code):
        case Treatment.SERVER_FAILED:
            return TimedOut(EXCHANGE)
        case Treatment.THROTTLED:
            return Unavailable(EXCHANGE, retry_after_seconds=_reset_seconds(error, now))
        case Treatment.BANNED:
            return Banned()
        case Treatment.CLOCK_SKEWED | Treatment.IN_PROGRESS:
            return Unavailable(EXCHANGE)
        case _:
            return VenueRejected(code)


def _of_http_status(error: FailedRequestError, now: datetime) -> Failure:
    status: int = error.status_code
    if status == 403:  # noqa: PLR2004  # Forbidden
        return Banned()
    if status == 429:  # noqa: PLR2004  # Too Many Requests
        return Unavailable(EXCHANGE, retry_after_seconds=_reset_seconds(error, now))
    if _server_failed(status):
        return Unavailable(EXCHANGE)
    return VenueRejected(status)


def _server_failed(status: int) -> bool:
    return status >= 500 or status == 409  # noqa: PLR2004  # 409 is pybit's word for bad JSON


def _reset_seconds(error: InvalidRequestError | FailedRequestError, now: datetime) -> float:
    """Seconds to the limit's reset; the header may lie in the past (pybit crashes on it)."""
    reset_ms = limit_header(error.resp_headers, "X-Bapi-Limit-Reset-Timestamp")
    if reset_ms is None:
        return THROTTLED_SECONDS
    wait = reset_ms / 1000 - now.timestamp()
    return min(max(wait, 0.1), RESET_SECONDS_MAX)


def limit_header(headers: Mapping[str, str] | None, name: str) -> int | None:
    """An integer of the X-Bapi-Limit family; None when it is missing or no number."""
    value = (headers or {}).get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None  # noqa: PLR2004  # milliseconds have 13
