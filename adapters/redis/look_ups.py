"""How many addresses of others somebody asked about within a day, in Redis."""

import math

from adapters.redis.client import RedisClient
from domain.kernel.ids import UserId

_SECONDS = 86_400

# KEYS: a set of what was asked about. ARGV: this one's mark, how many at most, seconds. Answers how
# many milliseconds to wait: none for what was asked about before, or is one of the first so many.
_ASK = """
if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 1 then return 0 end
local known = redis.call('SCARD', KEYS[1])
if known >= tonumber(ARGV[2]) then return math.max(1, redis.call('PTTL', KEYS[1])) end
redis.call('SADD', KEYS[1], ARGV[1])
if known == 0 then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
return 0
"""


class RedisLookUps:
    """Implements domain.wallets.ports.LookUps: a day begins with the first address of it."""

    def __init__(self, client: RedisClient, *, per_day: int) -> None:
        self._names = client.names
        self._ask = client.script(_ASK)
        self._per_day = per_day

    async def wait_seconds(self, asker: UserId, mark: str) -> int | None:
        """Raises Unavailable, TimedOut: then nobody is looked up."""
        key = self._names.looked_up(str(asker))
        wait_ms = await self._ask(keys=[key], args=[mark, self._per_day, _SECONDS])
        return math.ceil(int(wait_ms) / 1000) or None
