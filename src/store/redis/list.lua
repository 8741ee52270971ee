-- Lists the entries of an index, the lowest score first.
--
-- KEYS  index
-- ARGV  up to which score ('' = up to now), how many entries at most
-- Answer  {now (ms), how many there are up to that score, then member and score of each entry}

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local UP_TO = ARGV[1] == '' and now or ARGV[1]

local answer = { now, redis.call('ZCOUNT', KEYS[1], '-inf', UP_TO) }
if answer[2] == 0 then return answer end
local entries = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', UP_TO, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #entries do answer[i + 2] = entries[i] end
return answer
