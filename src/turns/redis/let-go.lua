-- Gives a customer's hold back, if this operation has it, and remembers the record that settled the operation.
--
-- KEYS  hold, settled records (scored by the end of their life)
-- ARGV  operation, life (ms), record ('' = none)
-- Answer  1
--
-- Sent again, it finds nothing left to do. The record is remembered first: a full memory refuses that, and then the
-- hold stays too.

if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
  redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[3])
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
