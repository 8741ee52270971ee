-- Reads a record, and the clock of its node.
--
-- KEYS  record
-- Answer  {now (ms), the record or nil}

local time = redis.call('TIME')
return { time[1] * 1000 + math.floor(time[2] / 1000), redis.call('GET', KEYS[1]) }
