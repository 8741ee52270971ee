-- Gives a customer's lock back, if this operation has it, and remembers which record settled the operation, or that
-- one is still to come.
--
-- KEYS  lock, settled records, records still to come (both scored by the end of their life)
-- ARGV  operation, life of what is remembered (ms), record ('' = none), record still to come ('' = none)
-- Answer  1
--
-- Sent again, it finds nothing left to do. What is to be remembered comes first: a full memory refuses that, and then
-- the lock stays too.

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function remember(key, what)
  if what == '' then return end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  redis.call('ZADD', key, now + ARGV[2], what)
  redis.call('PEXPIRE', key, ARGV[2])
end

remember(KEYS[2], ARGV[3])
remember(KEYS[3], ARGV[4])
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
