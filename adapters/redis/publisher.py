"""Where a leading feed puts its prices: one script per batch stores, counts and announces."""

from collections.abc import Collection, Sequence

import structlog

from adapters.redis.client import RedisClient
from adapters.redis.frames import encode_report, encode_ticker
from domain.kernel.ids import Category, InstrumentId, Symbol
from domain.market.model import FeedReport, Ticker
from domain.market.ports import LeaseLost

log = structlog.get_logger()

# Readers call a feed dead after two seconds of silence; its last word does not outlive that.
REPORT_TTL_SECONDS = 2.0
# A feed that is down for a day still leaves the last prices (shown stale); what nobody follows any
# more is removed by `wanted`.
TICKER_TTL_SECONDS = 86_400
WANTED_MAX = 1000

# KEYS: fence, wanted set, report key, report channel, then key and channel of each ticker.
# ARGV: epoch, report TTL ms, ticker TTL s, report, then symbol, "1" when always followed, data.
#
# The seq follows the clock in microseconds when that is ahead, so that it grows even when Redis
# comes back with older data. A ticker nobody wants any more (it was on its way when `wanted`
# removed it) is announced, and not kept: it would look fresh for ever.
_PUBLISH = """
local epoch, fence = tonumber(ARGV[1]), redis.call('HMGET', KEYS[1], 'epoch', 'seq')
if epoch < tonumber(fence[1] or '0') then return 0 end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local seq = math.max(tonumber(fence[2] or '0'), micros)
local ts = string.format('%.0f', math.floor(micros / 1000))
local function framed(data)
    seq = seq + 1
    return '{"epoch":' .. ARGV[1] .. ',"seq":' .. string.format('%.0f', seq)
        .. ',"ts":' .. ts .. ',"data":' .. data .. '}'
end
local report = framed(ARGV[4])
redis.call('SET', KEYS[3], report, 'PX', ARGV[2])
redis.call('PUBLISH', KEYS[4], report)
for i = 0, (#KEYS - 4) / 2 - 1 do
    local key, channel = KEYS[5 + 2 * i], KEYS[6 + 2 * i]
    local symbol, always = ARGV[5 + 3 * i], ARGV[6 + 3 * i]
    local frame = framed(ARGV[7 + 3 * i])
    if always == '1' or redis.call('ZSCORE', KEYS[2], symbol) then
        redis.call('SET', key, frame, 'EX', ARGV[3])
    end
    redis.call('PUBLISH', channel, frame)
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', string.format('%.0f', seq))
return 1
"""

# KEYS: wanted set. ARGV: how many at most. Returns those wanted, and those no longer.
_WANTED = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
now = string.format('%.0f', now)
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
return {redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. now, 'LIMIT', 0, ARGV[1]), gone}
"""

# KEYS: wanted set, then the key of each ticker. ARGV: the symbol of each.
# Somebody may have come back since `_WANTED` looked.
_FORGET = """
for i, symbol in ipairs(ARGV) do
    if not redis.call('ZSCORE', KEYS[1], symbol) then redis.call('UNLINK', KEYS[i + 1]) end
end
"""


class RedisFeedPublisher:
    """Implements domain.market.ports.FeedPublisher."""

    def __init__(
        self,
        client: RedisClient,
        *,
        always_on: Collection[Symbol],
        wanted_max: int = WANTED_MAX,
    ) -> None:
        """``always_on``: what the feeds follow even when nobody watches; kept for ever.

        ``wanted_max``: how many symbols of a category are followed; the last ones seen win.
        """
        self._names = client.names
        self._always_on = frozenset(always_on)
        self._wanted_max = wanted_max
        self._publish = client.script(_PUBLISH)
        self._wanted = client.script(_WANTED)
        self._forget = client.script(_FORGET)

    async def publish(self, report: FeedReport, tickers: Sequence[Ticker]) -> None:
        """As the port says. After TimedOut it may have happened: published again, it is newer."""
        own = self._names.report(report.category)
        keys = [
            self._names.fence(report.category),
            self._names.wanted(report.category),
            own.key,
            own.channel,
        ]
        args: list[str | bytes | int] = [
            report.epoch,
            int(REPORT_TTL_SECONDS * 1000),
            TICKER_TTL_SECONDS,
            encode_report(report),
        ]
        for ticker in tickers:
            topic = self._names.ticker(ticker.id)
            keys += (topic.key, topic.channel)
            always = "1" if ticker.symbol in self._always_on else "0"
            args += (ticker.symbol, always, encode_ticker(ticker))
        if not await self._publish(keys=keys, args=args):
            log.warning("publish_fenced", category=report.category, epoch=report.epoch)
            raise LeaseLost(f"feed.{report.category}")

    async def wanted(self, category: Category) -> frozenset[Symbol]:
        """What watchers anywhere want to see followed. Raises Unavailable, TimedOut."""
        key = self._names.wanted(category)
        wanted, gone = await self._wanted(keys=[key], args=[self._wanted_max])
        forgotten = [Symbol(s.decode()) for s in gone if s.decode() not in self._always_on]
        if forgotten:
            kept = [self._names.ticker(InstrumentId(category, s)).key for s in forgotten]
            await self._forget(keys=[key, *kept], args=forgotten)
        return frozenset(Symbol(symbol.decode()) for symbol in wanted)
