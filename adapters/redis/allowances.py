"""How often people may do something, counted for all processes together.

The generic cell rate algorithm: one number for each person and bucket, the instant at which what
they did would be worked off. It needs no clock but Redis's own, and forgets itself.
"""

from hashlib import sha256

from adapters.redis.client import RedisClient
from domain.kernel.ids import UserId
from domain.kernel.policy import Rate

# KEYS: the bucket. ARGV: milliseconds that one costs, milliseconds that may be owed.
# Returns how many milliseconds to wait; 0 when it was counted.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local cost, most = tonumber(ARGV[1]), tonumber(ARGV[2])
-- A clock that was set back must not keep anybody waiting for longer than a full bucket.
local due = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now), now + most)
local wait = due + cost - now - most
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', due + cost), 'PX', most)
return 0
"""
_MINUTE_MS = 60_000


class RedisAllowances:
    """Implements domain.users.ports.Allowances."""

    def __init__(self, client: RedisClient) -> None:
        self._names = client.names
        self._take = client.script(_TAKE)

    async def take(self, user_id: UserId, rate: Rate) -> float:
        """Raises Unavailable, TimedOut."""
        digest = sha256(f"{user_id}|{rate.bucket}".encode()).hexdigest()
        cost = _MINUTE_MS // rate.per_minute
        args = [cost, cost * rate.per_minute]
        return int(await self._take(keys=[self._names.allowance(digest)], args=args)) / 1000
