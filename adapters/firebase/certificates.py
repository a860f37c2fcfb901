"""The certificates Firebase signs ID tokens with: fetched once for all, kept through outages.

A certificate source that is down is nobody's sign-out: keys that were good an hour ago still are,
and a process that starts during an outage takes the last good ones from the store all share.
"""

import asyncio
import math
import random
import re
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx
import orjson
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import InvalidVersion, load_pem_x509_certificate

from domain.kernel.failures import Failure, Unavailable

log = structlog.get_logger()

WHAT = "identity service"
FETCH_SECONDS_MAX = 3.0
# Firebase announces hours; an answer without Cache-Control is asked again soon.
_LIFE_SECONDS_MIN = 60.0
_LIFE_SECONDS_MAX = 86_400.0
# Renewed before they are old, so that no request ever waits for it.
_RENEW_SHARE = 0.8
# Firebase rotates keys over days: what is a day old is still in use or announced.
STALE_SECONDS_MAX = 86_400.0
# Forged key ids must not make us ask Google at every request.
UNKNOWN_KEY_COOL_DOWN_SECONDS = 30.0
# A source that just failed is not asked again by every request that would like to know.
FAILURE_COOL_DOWN_SECONDS = 1.0
_RETRY_SECONDS_MAX = 30.0
_BODY_BYTES_MAX = 64 * 1024
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=(\d+)")


class KeptText(Protocol):
    """Where all processes share the last good answer. Raises Unavailable, TimedOut."""

    async def load(self) -> bytes | None: ...

    async def save(self, text: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class _Keys:
    by_id: Mapping[str, RSAPublicKey]
    fetched_at: float
    """By the wall clock: the store is read by processes with other monotonic clocks."""
    renew_at: float


class Certificates:
    """Public keys by key id; ``run`` keeps them fresh."""

    def __init__(
        self,
        url: str,
        *,
        http: httpx.AsyncClient,
        kept: KeptText,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = url
        self._http = http
        self._kept = kept
        self._now = now
        self._keys: _Keys | None = None
        self._flight: asyncio.Task[None] | None = None
        self._failed_at = float("-inf")

    @property
    def age_seconds(self) -> float | None:
        """How long ago the keys in use were fetched; None before the first."""
        return None if self._keys is None else self._now() - self._keys.fetched_at

    async def key(self, key_id: str) -> RSAPublicKey | None:
        """The key of that id, or None when Firebase has none.

        Raises Unavailable, also for an id we do not know while nobody can be asked: it may be the
        newest, and an outage is nobody's sign-out.
        """
        keys = await self._usable()
        found = keys.by_id.get(key_id)
        if found is not None or self._lately(keys.fetched_at, UNKNOWN_KEY_COOL_DOWN_SECONDS):
            return found
        await self._fetch_once()
        return None if self._keys is None else self._keys.by_id.get(key_id)

    async def run(self) -> None:
        """Renew for ever, ahead of time; ends only by cancellation."""
        pause = 0.5
        while True:
            keys = self._keys
            if keys is not None and keys.renew_at > self._now():
                await asyncio.sleep(min(keys.renew_at - self._now(), 60.0))
                continue
            try:
                # Those that all share first: while their source is away they are what there is,
                # and who comes meanwhile must not wait for it, nor learn that it failed.
                await (self._once(self._begin) if keys is None else self._fetch_once())
                pause = 0.5
            except Failure:
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # jitter
                pause = min(pause * 2, _RETRY_SECONDS_MAX)

    async def _usable(self) -> _Keys:
        if self._keys is None:
            await self._once(self._begin)
        # Renewing is the duty of ``run``: nobody waits for it while there are keys to go on with.
        elif self._now() - self._keys.fetched_at > STALE_SECONDS_MAX:
            await self._fetch_once()
        if self._keys is None:
            raise Unavailable(WHAT, retry_after_seconds=FAILURE_COOL_DOWN_SECONDS)
        return self._keys

    async def _fetch_once(self) -> None:
        if self._lately(self._failed_at, FAILURE_COOL_DOWN_SECONDS):
            raise Unavailable(WHAT, retry_after_seconds=FAILURE_COOL_DOWN_SECONDS)
        await self._once(self._fetch)

    async def _once(self, errand: Callable[[], Coroutine[None, None, None]]) -> None:
        """One errand however many ask; a caller who leaves does not end it for the others."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.ensure_future(errand())
            # Everybody may have left by then: asked for, so that no one warns of it.
            self._flight.add_done_callback(lambda flight: flight.cancelled() or flight.exception())
        await asyncio.shield(self._flight)

    async def _begin(self) -> None:
        """The first keys of this process: those that all share, or else the source's."""
        await self._load_kept()
        if self._keys is not None and self._now() - self._keys.fetched_at <= STALE_SECONDS_MAX:
            return
        if self._lately(self._failed_at, FAILURE_COOL_DOWN_SECONDS):
            raise Unavailable(WHAT, retry_after_seconds=FAILURE_COOL_DOWN_SECONDS)
        await self._fetch()

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                text, life = await self._asked()
            by_id = _parsed(text)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, ValueError) as error:
            self._failed_at = self._now()
            log.warning("certificates_unavailable", reason=type(error).__name__)
            raise Unavailable(WHAT, retry_after_seconds=FAILURE_COOL_DOWN_SECONDS) from error
        now = self._now()
        self._keys = _Keys(by_id, now, now + life * _RENEW_SHARE)
        await self._save(text, now)

    async def _asked(self) -> tuple[bytes, float]:
        """What the source answers and for how many seconds. Read no further than it may be long."""
        # Not compressed: a few bytes could unfold into all our memory.
        headers = {"accept-encoding": "identity"}
        async with self._http.stream("GET", self._url, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                raise ValueError(f"status {answer.status_code}")
            text = b""
            async for chunk in answer.aiter_raw():
                text += chunk
                if len(text) > _BODY_BYTES_MAX:
                    raise ValueError("too long")
            return text, _life_seconds(answer.headers.get("cache-control", ""))

    async def _load_kept(self) -> None:
        try:
            kept = await self._kept.load()
            if kept is None:
                return
            stamp, _, text = kept.partition(b"\n")
            # Never from the future: another process's clock, or a stamp that is none.
            fetched_at = min(self._now(), float(stamp))
            if not math.isfinite(fetched_at):
                return
            # Good enough to start with; asked anew at once.
            self._keys = _Keys(_parsed(text), fetched_at, renew_at=self._now())
        except (Failure, ValueError):
            return

    def _lately(self, instant: float, seconds: float) -> bool:
        # Not negative: a clock that was set back must not hold us up.
        return 0 <= self._now() - instant < seconds

    async def _save(self, text: bytes, now: float) -> None:
        try:
            await self._kept.save(str(now).encode() + b"\n" + text)
        except Failure:
            log.warning("certificates_not_kept")


def _parsed(text: bytes) -> dict[str, RSAPublicKey]:
    """Key ids and RSA keys of the JSON object {id: PEM}. Raises ValueError."""
    listed = orjson.loads(text)
    if not isinstance(listed, dict):
        raise ValueError("not an object of certificates")  # noqa: TRY004  # of the text
    found = {key_id: _rsa_key(pem) for key_id, pem in listed.items()}
    # One of a kind we cannot use is not worth all the others.
    keys = {key_id: key for key_id, key in found.items() if key is not None}
    if not keys:
        raise ValueError("no certificate that can be used")
    return keys


def _rsa_key(pem: object) -> RSAPublicKey | None:
    try:
        key = load_pem_x509_certificate(str(pem).encode()).public_key()
    except (ValueError, InvalidVersion, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _life_seconds(cache_control: str) -> float:
    found = _MAX_AGE.search(cache_control.lower())
    seconds = float(found[1]) if found else _LIFE_SECONDS_MIN
    return min(max(seconds, _LIFE_SECONDS_MIN), _LIFE_SECONDS_MAX)
