-- Ends a step: state, replies, removal of the message, wake-up, settled intents and dead letters; all or nothing.
--
-- KEYS  record, queue, outbox, due, intents, dead letters, states kept aside
-- ARGV  conversation, numbers (record's life, fence, version before, schema, consumed seq (0 = none), wake-up (ms,
--       0 = none), cap of the dead letters, count of replies, count of settled operations, 1 = forget the conversation's
--       dead letters), nonce, mark, state, a state to keep aside or '', then the replies, the settled operations, and for each dead letter: id, reason, body
-- Answer  seq of the first appended reply (if there were any); nil: lease, version or mark is stale, nothing was changed
--
-- Sent again, it finds the version it made and gives the same answer.

local INTENTS, DEAD, ASIDE, STATE, UNOPENED = KEYS[5], KEYS[6], KEYS[7], ARGV[5], ARGV[6]
local FENCE, VERSION, SCHEMA, CONSUMED, WAKE_AT, DEAD_CAP, REPLIES, SETTLED, FORGET = unpack(NUMBERS, 2)
local FIRST = 7

if not holds(FENCE) then return nil end
if r.version == VERSION + 1 and r.committed == r.fence then return r.outSeq - REPLIES + 1 end
if r.version ~= VERSION or not knows(ARGV[4]) then return nil end

local headSeq = r.msgSeq - redis.call('LLEN', QUEUE) + 1
r.version, r.schema, r.state = VERSION + 1, math.max(r.schema, SCHEMA), STATE
r.wakeAt, r.outSeq, r.expired = WAKE_AT, r.outSeq + REPLIES, 0
r.dropped, r.told, r.committed = r.dropped - r.told, 0, r.fence
r.handed, r.lost, r.knew = 0, 0, r.msgSeq
save() -- first, because it is what a full memory refuses: then nothing is changed

if CONSUMED == headSeq then redis.call('LPOP', QUEUE) end
for i = FIRST, FIRST + REPLIES - 1 do redis.call('RPUSH', OUTBOX, ARGV[i]) end
if REPLIES > 0 then redis.call('PEXPIRE', OUTBOX, STATE_MS) end
for i = FIRST + REPLIES, FIRST + REPLIES + SETTLED - 1 do
  redis.call('HDEL', INTENTS, CONVERSATION .. '|' .. ARGV[i])
end
if FORGET == 1 then
  redis.call('DEL', ASIDE)
  for _, letter in ipairs(redis.call('LRANGE', DEAD, 0, -1)) do
    if cjson.decode(string.match(letter, '^[^\n]*')).conversation == CONVERSATION then
      redis.call('LREM', DEAD, 1, letter)
    end
  end
end
if UNOPENED ~= '' then
  redis.call('RPUSH', ASIDE, UNOPENED)
  redis.call('PEXPIRE', ASIDE, STATE_MS)
end
for i = FIRST + REPLIES + SETTLED, #ARGV, 3 do
  local head = { v = SCHEMA, id = ARGV[i], conversation = CONVERSATION, atMs = now, reason = ARGV[i + 1] }
  redis.call('RPUSH', DEAD, cjson.encode(head) .. '\n' .. ARGV[i + 2])
  redis.call('LTRIM', DEAD, -DEAD_CAP, -1)
  redis.call('PEXPIRE', DEAD, STATE_MS)
end
return r.outSeq - REPLIES + 1
