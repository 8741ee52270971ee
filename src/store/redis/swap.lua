-- Replaces a record if it is of the expected version, and changes its entries of indexes with it.
--
-- KEYS  record; the index of each change; to put the record aside: its new key, the index of broken records
-- ARGV  expected version ('' = no record), the new record ('' = none), its life (ms), how many changes; of each
--       change: member, score ('' = out); to put aside: member, life (ms)
-- Answer  now (ms); or {now, what is there} where that is of another version: then nothing was changed
--
-- A read is a swap of nothing that expects what no record is.
-- Sent again, it finds its own version and writes the same once more, so a WAIT behind it waits for it, too.

local RECORD, EXPECTED, NEXT, LIFE_MS, CHANGES = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local VERSION_BYTES = 13

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local version = redis.call('GETRANGE', RECORD, 0, VERSION_BYTES - 1)
if version ~= EXPECTED and version ~= string.sub(NEXT, 1, VERSION_BYTES) then
  return { now, redis.call('GET', RECORD) }
end

if #KEYS > 1 + CHANGES and version == EXPECTED then
  local aside, broken = KEYS[2 + CHANGES], KEYS[3 + CHANGES]
  redis.call('RENAME', RECORD, aside)
  redis.call('PEXPIRE', aside, ARGV[6 + 2 * CHANGES])
  redis.call('ZADD', broken, now, ARGV[5 + 2 * CHANGES])
  redis.call('ZREMRANGEBYSCORE', broken, '-inf', now - ARGV[6 + 2 * CHANGES])
end

if NEXT ~= '' then
  redis.call('SET', RECORD, NEXT, 'PX', LIFE_MS)
elseif version ~= '' then
  redis.call('DEL', RECORD)
end

for change = 1, CHANGES do
  local index, member, score = KEYS[1 + change], ARGV[3 + 2 * change], ARGV[4 + 2 * change]
  if score ~= '' then redis.call('ZADD', index, score, member) else redis.call('ZREM', index, member) end
end
return now
