-- Takes places in the line of those whose messages are put off; they follow each other at the pace.
--
-- KEYS  when the next place is (ms)
-- ARGV  how many places, from one to the next (ms)
-- Answer  ms until the first of them
--
-- Sent again, it takes other places; nobody comes at the first ones.

local WANTED, EVERY = tonumber(ARGV[1]), tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local first = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0))
local next = first + WANTED * EVERY
redis.call('SET', KEYS[1], string.format('%.3f', next), 'PX', math.ceil(next - now))
return math.floor(first - now)
