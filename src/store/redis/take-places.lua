-- Takes places in the line of those whose messages are put off; they follow each other at the pace.
--
-- KEYS  when it was asked last, and when the next place is (ms)
-- ARGV  how many places, from one to the next (ms)
-- Answer  ms until the first of them
--
-- Sent again, it takes other places; nobody comes at the first ones.

local WANTED, EVERY = tonumber(ARGV[1]), tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local known = redis.call('GET', KEYS[1])
local asked, free = string.match(known or '0 0', '(%S+) (%S+)')
-- Where the clock was put back, the line is as long as it was.
local back = math.max(0, tonumber(asked) - now)
local first = math.max(now, tonumber(free) - back)
local next = first + WANTED * EVERY
redis.call('SET', KEYS[1], string.format('%.3f %.3f', now, next), 'PX', math.ceil(next - now))
return math.floor(first - now)
