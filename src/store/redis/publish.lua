-- Appends an event to a conversation's feed and tells the followers.
--
-- KEYS  feed (a list of 'seq:body')
-- ARGV  seq, body, channel, events to keep, life (ms), whether to drop the earlier events ('1')
-- Answer  1; 0: this seq, or a later one, was published already
--
-- Sent again, it is dropped. The news is 'seq before:seq:body', so a follower sees whether it missed one.

local last = redis.call('LINDEX', KEYS[1], -1)
local before = last and tonumber(string.match(last, '^%d+')) or 0
if tonumber(ARGV[1]) <= before then return 0 end
local event = ARGV[1] .. ':' .. ARGV[2]
if ARGV[6] == '1' then redis.call('DEL', KEYS[1]) end
redis.call('RPUSH', KEYS[1], event)
redis.call('LTRIM', KEYS[1], -ARGV[4], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('PUBLISH', ARGV[3], before .. ':' .. event)
return 1
