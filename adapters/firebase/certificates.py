"""The certificates Firebase signs ID tokens with: fetched once for all, kept through outages.

A certificate source that is down is nobody's sign-out: keys that were good an hour ago still are,
and a process that starts during an outage takes the last good ones from the store all share.
"""

import asyncio
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx
import orjson
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

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
        self._asked_for_unknown_at = float("-inf")

    @property
    def age_seconds(self) -> float | None:
        """How long ago the keys in use were fetched; None before the first."""
        return None if self._keys is None else self._now() - self._keys.fetched_at

    async def key(self, key_id: str) -> RSAPublicKey | None:
        """The key of that id, or None when Firebase has none. Raises Unavailable."""
        keys = await self._usable()
        found = keys.by_id.get(key_id)
        now = self._now()
        if found is not None or now - self._asked_for_unknown_at < UNKNOWN_KEY_COOL_DOWN_SECONDS:
            return found
        self._asked_for_unknown_at = now
        try:
            await self._fetch_once()
        except Failure:
            return None  # known keys go on working; an unknown one is not worth an outage
        return self._keys.by_id.get(key_id) if self._keys else None

    async def run(self) -> None:
        """Renew for ever, ahead of time; ends only by cancellation."""
        pause = 0.5
        while True:
            keys = self._keys
            if keys is not None and keys.renew_at > self._now():
                await asyncio.sleep(min(keys.renew_at - self._now(), 60.0))
                continue
            try:
                await self._fetch_once()
                pause = 0.5
            except Failure:
                await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  # jitter
                pause = min(pause * 2, _RETRY_SECONDS_MAX)

    async def _usable(self) -> _Keys:
        if self._keys is None:
            await self._load_kept()
        # Renewing is the duty of ``run``: nobody waits for it while there are keys to go on with.
        if self._keys is None or self._now() - self._keys.fetched_at > STALE_SECONDS_MAX:
            await self._fetch_once()
        if self._keys is None:
            raise Unavailable(WHAT, retry_after_seconds=1.0)
        return self._keys

    async def _fetch_once(self) -> None:
        """One fetch however many ask; a caller who leaves does not end it for the others."""
        if self._flight is None or self._flight.done():
            self._flight = asyncio.ensure_future(self._fetch())
            # Everybody may have left by then: asked for, so that no one warns of it.
            self._flight.add_done_callback(lambda flight: flight.cancelled() or flight.exception())
        await asyncio.shield(self._flight)

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS_MAX):
                answer = await self._http.get(self._url)
            if answer.status_code != httpx.codes.OK or len(answer.content) > _BODY_BYTES_MAX:
                raise Unavailable(WHAT, retry_after_seconds=1.0)
            by_id = _parsed(answer.content)
        except (httpx.HTTPError, TimeoutError, ValueError) as error:
            log.warning("certificates_unavailable", reason=type(error).__name__)
            raise Unavailable(WHAT, retry_after_seconds=1.0) from error
        now = self._now()
        life = _life_seconds(answer.headers.get("cache-control", ""))
        self._keys = _Keys(by_id, now, now + life * _RENEW_SHARE)
        await self._save(answer.content, now)

    async def _load_kept(self) -> None:
        try:
            kept = await self._kept.load()
            if kept is None:
                return
            fetched_at, _, text = kept.partition(b"\n")
            by_id = _parsed(text)
            # Good enough to start with; asked anew at once.
            self._keys = _Keys(by_id, float(fetched_at), renew_at=self._now())
        except (Failure, ValueError):
            return

    async def _save(self, text: bytes, now: float) -> None:
        try:
            await self._kept.save(str(now).encode() + b"\n" + text)
        except Failure:
            log.warning("certificates_not_kept")


def _parsed(text: bytes) -> dict[str, RSAPublicKey]:
    """Key ids and RSA keys of the JSON object {id: PEM}. Raises ValueError."""
    listed = orjson.loads(text)
    if not isinstance(listed, dict) or not listed:
        raise ValueError("not an object of certificates")
    keys = {}
    for key_id, pem in listed.items():
        key = load_pem_x509_certificate(str(pem).encode()).public_key()
        if not isinstance(key, RSAPublicKey):
            raise ValueError("not an RSA certificate")  # noqa: TRY004  # of the text, not of the type
        keys[key_id] = key
    return keys


def _life_seconds(cache_control: str) -> float:
    found = _MAX_AGE.search(cache_control.lower())
    seconds = float(found[1]) if found else _LIFE_SECONDS_MIN
    return min(max(seconds, _LIFE_SECONDS_MIN), _LIFE_SECONDS_MAX)
