-- Appends an event to a conversation's feed.
--
-- KEYS  feed (a list of 'seq:body')
-- ARGV  seq, body, events to keep, life (ms), whether to drop the earlier events ('1')
-- Answer  1; 0: this seq, or a later one, was published already
--
-- Sent again, it is dropped.

local last = redis.call('LINDEX', KEYS[1], -1)
if last and tonumber(ARGV[1]) <= tonumber(string.match(last, '^%d+')) then return 0 end
if ARGV[5] == '1' then redis.call('DEL', KEYS[1]) end
redis.call('RPUSH', KEYS[1], ARGV[1] .. ':' .. ARGV[2])
redis.call('LTRIM', KEYS[1], -ARGV[3], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
