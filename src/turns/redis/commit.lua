-- Ends a step: state, replies, removal of the message, wake-up, settled intents and dead letters; all or nothing.
--
-- KEYS  record, queue, outbox, due, intents, dead letters
-- ARGV  conversation, record's life (ms), fence, version before, schema, state, consumed seq (0 = none),
--       wake-up (ms, 0 = none), cap of the dead letters, count of replies, count of settled operations, 1 = forget the conversation's dead letters,
--       then the replies, the settled operations, and for each dead letter: id, reason, body
-- Answer  seq of the first appended reply (if there were any); nil: lease or version is stale, nothing was changed
--
-- Sent again, it finds the version it made and gives the same answer.

local INTENTS, DEAD = KEYS[5], KEYS[6]
local version, consumed = tonumber(ARGV[4]), tonumber(ARGV[7])
local replies, settled = tonumber(ARGV[10]), tonumber(ARGV[11])
local FIRST = 13

if not holds(ARGV[3]) then return nil end
if r.version == version + 1 and r.committed == r.fence then return r.outSeq - replies + 1 end
if r.version ~= version then return nil end

local headSeq = r.msgSeq - redis.call('LLEN', QUEUE) + 1
r.version, r.schema, r.state = version + 1, tonumber(ARGV[5]), ARGV[6]
r.wakeAt, r.outSeq, r.expired = tonumber(ARGV[8]), r.outSeq + replies, 0
r.dropped, r.told, r.committed = r.dropped - r.told, 0, r.fence
save() -- first, because it is what a full memory refuses: then nothing is changed

if consumed == headSeq then redis.call('LPOP', QUEUE) end
for i = FIRST, FIRST + replies - 1 do redis.call('RPUSH', OUTBOX, ARGV[i]) end
if replies > 0 then redis.call('PEXPIRE', OUTBOX, STATE_MS) end
for i = FIRST + replies, FIRST + replies + settled - 1 do
  redis.call('HDEL', INTENTS, CONVERSATION .. '|' .. ARGV[i])
end
if ARGV[12] == '1' then
  for _, letter in ipairs(redis.call('LRANGE', DEAD, 0, -1)) do
    if cjson.decode(string.match(letter, '^[^\n]*')).conversation == CONVERSATION then
      redis.call('LREM', DEAD, 1, letter)
    end
  end
end
for i = FIRST + replies + settled, #ARGV, 3 do
  local head = { id = ARGV[i], conversation = CONVERSATION, atMs = now, reason = ARGV[i + 1] }
  redis.call('RPUSH', DEAD, cjson.encode(head) .. '\n' .. ARGV[i + 2])
  redis.call('LTRIM', DEAD, -ARGV[9], -1)
  redis.call('PEXPIRE', DEAD, STATE_MS)
end
return r.outSeq - replies + 1
