-- Tells what waits in one shard.
--
-- KEYS  due, undelivered, dead letters, intents
-- ARGV  how many operations are looked at, about
-- Answer  numbers: conversations that are due, for how long the first of them has been (ms), how long ago the oldest
--         undelivered reply was made (ms), dead letters, then the age of each operation without an outcome (ms)
--
-- Takes a moment however much is stored: each number is at the end of an index. Whatever waits in an outbox is due some
-- time; a conversation that is not is one whose record was lost meanwhile, and leaves the index of what is undelivered.

local DUE, UNDELIVERED, DEAD, INTENTS = unpack(KEYS)
local MOST = ARGV[1]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function oldest(key)
  local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
  return first[1], tonumber(first[2])
end

local _, dueAt = oldest(DUE)
local isDue = dueAt and dueAt <= now
local numbers = { isDue and redis.call('ZCOUNT', DUE, '-inf', now) or 0, isDue and now - dueAt or 0 }

local conversation, madeAt = oldest(UNDELIVERED)
while conversation and not redis.call('ZSCORE', DUE, conversation) do
  redis.call('ZREM', UNDELIVERED, conversation)
  conversation, madeAt = oldest(UNDELIVERED)
end
numbers[3] = madeAt and math.max(0, now - madeAt) or 0
numbers[4] = redis.call('LLEN', DEAD)

-- 'fence atMs\nbody', as intend.lua writes it.
local found = redis.call('HSCAN', INTENTS, 0, 'COUNT', MOST)[2]
for i = 2, #found, 2 do
  numbers[#numbers + 1] = math.max(0, now - tonumber(string.match(found[i], '^%d+ (%d+)')))
end
return table.concat(numbers, ' ')
