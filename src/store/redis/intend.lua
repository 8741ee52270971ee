-- Writes down that a call is about to be made; set-if-absent by operation.
--
-- KEYS  record, queue, outbox, due, intents
-- ARGV  conversation, numbers (record's life, fence), nonce, mark, operation, body
-- Answer  {'go'}: this command wrote it; {'stored', body}: another attempt did; {'stale'}: the lease is lost, or what it works on
--
-- Sent again, byte for byte the same, it says 'go' again. It always writes (an expiry at least): the WAIT that may
-- follow waits for this connection's last write, and a command sent again must not find that there was none.
-- The conversation is due at the lease's end already, so a crash from here on is found.

local INTENTS, FIELD, BODY = KEYS[5], CONVERSATION .. '|' .. ARGV[5], ARGV[6]
local FENCE = NUMBERS[2]

if not holds(FENCE) or not knows(ARGV[4]) then return { 'stale' } end
local stored = redis.call('HGET', INTENTS, FIELD)
if not stored then redis.call('HSET', INTENTS, FIELD, r.fence .. ' ' .. now .. '\n' .. BODY) end
redis.call('PEXPIRE', INTENTS, STATE_MS)
if not stored then return { 'go' } end
local fence, bodyAt = string.match(stored, '^(%d+) %d+\n()')
local body = string.sub(stored, bodyAt)
if tonumber(fence) == r.fence and body == BODY then return { 'go' } end
return { 'stored', body }
