-- Takes messages of the current second: what rate-limiter-flexible runs in place of its own script.
--
-- KEYS  the count of this second
-- ARGV  how many messages, a second's length (s), messages a second
-- Answer  the number of the last message taken (beyond the messages a second: there are no more), ms until the second ends
--
-- Messages whose time has passed are skipped: or what was not sent early could be sent all at once at the end of a second,
-- and as much again in the next. Sent again, it takes other messages; the first ones are lost.

-- The longest that refuse.lua is asked for (channels/pace.ts).
local MOST_PAUSE_MS = 10000
local WANTED, SECONDS, PER_SECOND = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

redis.call('SET', KEYS[1], 0, 'EX', SECONDS, 'NX')
local isPaused = redis.call('GET', KEYS[1]) == 'paused'
local leftMs = redis.call('PTTL', KEYS[1])
-- Nobody asked for so long a wait: Redis' clock was put back.
if leftMs < 0 or leftMs > (isPaused and MOST_PAUSE_MS or 1000 * SECONDS) then
  redis.call('SET', KEYS[1], 0, 'EX', SECONDS)
  isPaused, leftMs = false, 1000 * SECONDS
end
if isPaused then return { PER_SECOND + WANTED, leftMs } end
local passed = math.floor(PER_SECOND * (1 - leftMs / (1000 * SECONDS)))
local skipped = math.max(0, passed - tonumber(redis.call('GET', KEYS[1])))
return { redis.call('INCRBY', KEYS[1], skipped + WANTED), leftMs }
