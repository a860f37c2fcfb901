"""What happens inside of Redis at once or not at all, in Lua."""

# KEYS: fence, wanted set, report key, report channel, then latest key, channel and tape of each.
# ARGV: epoch, report TTL ms, latest TTL s, trades on a tape, report, then for each its name, "1"
# when always followed, data and a number: -1, or how many trades are on their way to the tape. Then
# also what they follow on ("" leaves the tape as it is), the head of the window, and the trades.
#
# The seq follows the clock in microseconds when that is ahead, so that it grows even when Redis
# comes back with older data. What nobody wants any more (it was on its way when `WANTED` removed
# it) is announced, and not kept: it would look fresh for ever.
#
# Trades may come again after a failure in whose course they were published: then the tape does not
# end where they follow on, and LREM takes off those that are there already.
PUBLISH = """
local epoch, fence = tonumber(ARGV[1]), redis.call('HMGET', KEYS[1], 'epoch', 'seq')
if epoch < tonumber(fence[1] or '0') then return 0 end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local seq = math.max(tonumber(fence[2] or '0'), micros)
local ts = string.format('%.0f', math.floor(micros / 1000))
local function framed(data)
    return '{"epoch":' .. ARGV[1] .. ',"seq":' .. string.format('%.0f', seq)
        .. ',"ts":' .. ts .. ',"data":' .. data .. '}'
end
local function window(tape, at, count)
    local joint, head = ARGV[at], ARGV[at + 1]
    local function continued()
        local last = redis.call('LINDEX', tape, -1)
        return not last or string.sub(last, 2, 1 + #joint) == joint
    end
    if joint ~= '' and not continued() then
        for i = at + 2, at + 1 + count do redis.call('LREM', tape, -1, ARGV[i]) end
        if not continued() then redis.call('UNLINK', tape) end
    end
    for i = at + 2, at + 1 + count do redis.call('RPUSH', tape, ARGV[i]) end
    redis.call('LTRIM', tape, -tonumber(ARGV[4]), -1)
    redis.call('EXPIRE', tape, ARGV[3])
    return head .. table.concat(redis.call('LRANGE', tape, 0, -1), ',') .. ']}'
end
seq = seq + 1
local report = framed(ARGV[5])
redis.call('SET', KEYS[3], report, 'PX', ARGV[2])
redis.call('PUBLISH', KEYS[4], report)
local at = 6
for key = 5, #KEYS, 3 do
    local data, count = ARGV[at + 2], tonumber(ARGV[at + 3])
    seq = seq + 1
    local frame = framed(data)
    if ARGV[at + 1] == '1' or redis.call('ZSCORE', KEYS[2], ARGV[at]) then
        local kept = frame
        if count >= 0 then kept = framed(window(KEYS[key + 2], at + 4, count)) end
        redis.call('SET', KEYS[key], kept, 'EX', ARGV[3])
    end
    redis.call('PUBLISH', KEYS[key + 1], frame)
    at = at + 4
    if count >= 0 then at = at + 2 + count end
end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1], 'seq', string.format('%.0f', seq))
return 1
"""

# KEYS: wanted set. ARGV: how many at most. Returns those wanted, and those no longer.
WANTED = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
now = string.format('%.0f', now)
local gone = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
if #gone > 0 then redis.call('ZREM', KEYS[1], unpack(gone)) end
return {redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. now, 'LIMIT', 0, ARGV[1]), gone}
"""

# KEYS: wanted set. ARGV: what to take out of it.
UNMARK = "return redis.call('ZREM', KEYS[1], unpack(ARGV))"

# KEYS: wanted set, then latest key and tape of each topic. ARGV: how many names a topic has (one
# per rate), then these. Somebody may have come back since `WANTED` looked.
FORGET = """
local rates = tonumber(ARGV[1])
for topic = 0, (#KEYS - 1) / 2 - 1 do
    local wanted = false
    for rate = 1, rates do
        local name = ARGV[1 + topic * rates + rate]
        wanted = wanted or redis.call('ZSCORE', KEYS[1], name)
    end
    if not wanted then redis.call('UNLINK', KEYS[2 + 2 * topic], KEYS[3 + 2 * topic]) end
end
"""
