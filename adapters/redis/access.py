"""What signing in needs of Redis: telling that access changed, spending a step-up, kept texts.

Access signals only make it quick: the database is asked at every operation, and sockets look again
by themselves.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import orjson
import structlog

from adapters.redis.client import RedisClient
from adapters.redis.listener import Listener
from adapters.redis.metrics import HubMetrics
from domain.kernel.failures import Failure
from domain.kernel.ids import UserId
from domain.users.model import SessionId

log = structlog.get_logger()

# Longer than any step-up may be old: a spent sign-in cannot come back after it.
_SPENT_SECONDS = 3600
_KEPT_SECONDS = 7 * 86_400
_SIGNATURE_BYTES = sha256().digest_size

_TELL = "return redis.call('PUBLISH', KEYS[1], ARGV[1])"
_SPEND = "return redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) and 1 or 0"
_KEEP = "return redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])"

Ended = Callable[[UserId, frozenset[SessionId] | None], None]
Changed = Callable[[UserId], None]


class RedisAccessSignals:
    """Implements domain.users.ports.AccessSignals."""

    def __init__(self, client: RedisClient) -> None:
        self._place = client.names.access()
        self._tell = client.script(_TELL)

    async def ended(self, user_id: UserId, sessions: Sequence[SessionId] | None) -> None:
        if sessions is not None and not sessions:
            return
        ids = None if sessions is None else [str(session) for session in sessions]
        await self._say({"user": str(user_id), "sessions": ids})

    async def changed(self, user_id: UserId) -> None:
        # No session ended: a process of the release before hears nothing in it.
        await self._say({"user": str(user_id), "sessions": [], "roles": True})

    async def _say(self, told: Mapping[str, object]) -> None:
        message = orjson.dumps(told)
        try:
            await self._tell(keys=[self._place.channel], args=[message])
        except Failure:
            log.warning("access_signal_lost")


class RedisAccessEnds:
    """Hears whose access ended. ``on_ended`` is called with all of a user's sessions as None.

    ``on_changed``: this user's roles are others now. ``on_uncertain``: something may have been
    missed; look again at everybody.
    """

    def __init__(
        self,
        client: RedisClient,
        *,
        on_ended: Ended,
        on_changed: Changed,
        on_uncertain: Callable[[], None],
        metrics: HubMetrics,
    ) -> None:
        self._on_ended = on_ended
        self._on_changed = on_changed
        self._listener = Listener(
            client,
            # Subscribed anew: what was told in between is lost.
            on_subscribed=lambda _channel: on_uncertain(),
            read=lambda _channel, _value: None,
            hear=self._hear,
            on_connected=lambda: None,
            on_lost=lambda: None,
            metrics=metrics,
        )
        self._listener.follow(client.names.access())

    async def run(self) -> None:
        """Listen for ever; ends only by cancellation."""
        await self._listener.run()

    def _hear(self, _channel: str, value: bytes) -> None:
        try:
            told = orjson.loads(value)
            named = told["sessions"]
            # As text: of a number UUID would ask what only texts have.
            ids = None if named is None else frozenset(SessionId(UUID(str(i))) for i in named)
            user_id = UserId(UUID(str(told["user"])))
            changed = told.get("roles") is True
        except (ValueError, KeyError, TypeError):
            log.warning("access_signal_unreadable")
            return
        if changed:
            self._on_changed(user_id)
        else:
            self._on_ended(user_id, ids)


class RedisStepUpGrants:
    """Implements domain.users.ports.StepUpGrants."""

    def __init__(self, client: RedisClient) -> None:
        self._names = client.names
        self._spend = client.script(_SPEND)

    async def spend(self, user_id: UserId, signed_in_at: datetime, operation: str) -> bool:
        """Raises Unavailable, TimedOut: then nothing may."""
        text = f"{user_id}|{signed_in_at.timestamp()}|{operation}"
        key = self._names.spent(sha256(text.encode()).hexdigest())
        return bool(await self._spend(keys=[key], args=[_SPENT_SECONDS]))


class RedisKeptText:
    """One text that all processes share, such as the last good certificates.

    Signed: who can write to Redis, and no more, cannot make us believe a certificate of theirs.
    """

    def __init__(self, client: RedisClient, name: str, *, secret: bytes) -> None:
        self._client = client
        self._key = client.names.kept(name)
        # Of this text alone: another one's signature, or a cursor's, is none of it.
        self._secret = hmac.digest(secret, f"kept text {self._key}".encode(), "sha256")
        self._keep = client.script(_KEEP)

    async def load(self) -> bytes | None:
        """None also for what somebody else wrote. Raises Unavailable, TimedOut."""
        found = (await self._client.values([self._key]))[0]
        if found is None:
            return None
        signature, text = found[:_SIGNATURE_BYTES], found[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, self._signature(text)):
            log.warning("kept_text_not_ours", key=self._key)
            return None
        return text

    async def save(self, text: bytes) -> None:
        """Raises Unavailable, TimedOut."""
        await self._keep(keys=[self._key], args=[self._signature(text) + text, _KEPT_SECONDS])

    def _signature(self, text: bytes) -> bytes:
        return hmac.digest(self._secret, text, "sha256")
