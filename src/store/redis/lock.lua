-- Takes a customer's lock for an operation.
--
-- KEYS  lock, settled records, records still to come
-- ARGV  operation, life (ms)
-- Answer  the records that earlier operations were settled by, and those still to come; nil: another operation has the lock
--
-- Sent again, or called again by its holder, it refreshes the lock and gives the same answer.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return nil end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function alive(key) return redis.call('ZRANGE', key, now, '+inf', 'BYSCORE') end
return { alive(KEYS[2]), alive(KEYS[3]) }
