"""Leadership by a key that expires, with a fencing epoch that only grows."""

import secrets

import structlog

from adapters.redis.client import RedisClient
from domain.kernel.failures import Failure
from domain.market.ports import LeaseLost

log = structlog.get_logger()

# The epoch follows the count of leaders, and the clock when that is ahead: a Redis that lost its
# data would else count from 1 again, and every reader would ignore the new leader as a ghost.
# Seconds since 2025, because an epoch is shown and should stay short.
_ACQUIRE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return false end
local clock = tonumber(redis.call('TIME')[1]) - 1735689600
local epoch = math.max(tonumber(redis.call('GET', KEYS[2]) or '0') + 1, clock)
redis.call('SET', KEYS[2], string.format('%.0f', epoch))
return epoch
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisLeases:
    """Implements domain.market.ports.Leases."""

    def __init__(self, client: RedisClient, *, ttl_seconds: float = 3.0) -> None:
        """``ttl_seconds``: how long a silent leader keeps others waiting; renew thrice in it."""
        self._names = client.names
        self._ttl_ms = int(ttl_seconds * 1000)
        self._acquire = client.script(_ACQUIRE)
        self._renew = client.script(_RENEW)
        self._release = client.script(_RELEASE)

    async def try_acquire(self, name: str) -> "RedisLease | None":
        """None while somebody else holds it. Raises Unavailable, TimedOut.

        After TimedOut it may be held by nobody who knows: it ends by itself.
        """
        token = secrets.token_hex(16)
        key = self._names.lease(name)
        epoch = await self._acquire(keys=[key, self._names.epoch(name)], args=[token, self._ttl_ms])
        if epoch is None:
            return None
        log.info("lease_acquired", lease=name, epoch=epoch)
        return RedisLease(self, name, token, int(epoch))

    async def renew(self, name: str, token: str) -> bool:
        """Whether ``token`` still held it, and now does for longer."""
        key = self._names.lease(name)
        return bool(await self._renew(keys=[key], args=[token, self._ttl_ms]))

    async def release(self, name: str, token: str) -> None:
        """Let go, when ``token`` still holds it."""
        await self._release(keys=[self._names.lease(name)], args=[token])


class RedisLease:
    """Implements domain.market.ports.Lease."""

    def __init__(self, leases: RedisLeases, name: str, token: str, epoch: int) -> None:
        self._leases = leases
        self._name = name
        self._token = token
        self._epoch = epoch

    @property
    def epoch(self) -> int:
        return self._epoch

    async def renew(self) -> None:
        """Raises LeaseLost when it expired, even if nobody took it; Unavailable, TimedOut."""
        if not await self._leases.renew(self._name, self._token):
            log.warning("lease_lost", lease=self._name, epoch=self._epoch)
            raise LeaseLost(self._name)

    async def release(self) -> None:
        """Let go. Never raises a failure: an unreachable lease ends by itself."""
        # It is called while its owner is being cancelled: an exception here would take the place
        # of the cancellation, and the owner would live on.
        try:
            await self._leases.release(self._name, self._token)
        except Failure as failure:
            log.warning("lease_not_released", lease=self._name, code=failure.code)
