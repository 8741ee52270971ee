-- Notes that the platform refused a message; the second one within a second pauses all.
--
-- KEYS  the wait of the refusal before, the count of this second
-- ARGV  how long the platform wants us to wait (ms)
-- Answer  how long nothing may be taken (ms): the shorter wait; 0: it is the first
--
-- Sent again, it counts as a second refusal: a pause too many.

local after = tonumber(ARGV[1])
local before = tonumber(redis.call('GET', KEYS[1]))
local shorter = math.ceil(math.min(after, before or after))

redis.call('SET', KEYS[1], shorter, 'PX', 1000)
if not before then return 0 end
-- No number: take-quota.lua knows it by that.
redis.call('SET', KEYS[2], 'paused', 'PX', shorter)
return shorter
