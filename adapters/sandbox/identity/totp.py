"""Time-based one-time passwords: RFC 6238 with SHA-1, six digits, steps of 30 seconds."""

import base64
import hmac
import secrets
import struct
from hashlib import sha1

from adapters.sandbox.identity.accounts import Factor

STEP_SECONDS = 30
DIGITS = 6
# A phone's clock is seldom right: one step early or late is let through.
_STEPS_AROUND = 1


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def step_at(now: float) -> int:
    return int(now // STEP_SECONDS)


def code(secret: str, step: int) -> str:
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), sha1)
    offset = digest[-1] & 15
    (number,) = struct.unpack(">I", digest[offset : offset + 4])
    return f"{(number & 0x7FFFFFFF) % 10**DIGITS:0{DIGITS}d}"


def used_step(secret: str, given: str, *, now: float, last_step: int) -> int | None:
    """The step whose code was given; None when it is wrong or was used up before."""
    current = step_at(now)
    for step in range(current - _STEPS_AROUND, current + _STEPS_AROUND + 1):
        if hmac.compare_digest(code(secret, step).encode(), given.encode(errors="replace")):
            return step if step > last_step else None
    return None


def usable_code(factor: Factor, now: float) -> str:
    """What an app shows now, or the next code when that one is used up."""
    step = max(step_at(now), min(factor.last_step + 1, step_at(now) + _STEPS_AROUND))
    return code(factor.secret or "", step)
