-- Writes what a message writes (a record, a queue, an entry of `due`), to find out whether it could be stored now.
--
-- KEYS  record, queue, due; of the probe's own
-- ARGV  life (ms)
-- Answer  1
--
-- Sent again, it writes the same. It always writes, for the WAIT that may follow.

local LIFE_MS = ARGV[1]

redis.call('TIME')
redis.call('SET', KEYS[1], 'probe', 'PX', LIFE_MS)
redis.call('RPUSH', KEYS[2], 'probe')
redis.call('LTRIM', KEYS[2], -1, -1)
redis.call('PEXPIRE', KEYS[2], LIFE_MS)
redis.call('ZADD', KEYS[3], 0, 'probe')
redis.call('PEXPIRE', KEYS[3], LIFE_MS)
return 1
