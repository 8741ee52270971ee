-- How fast all processes of a bot together send (store/quota.ts, where the same is for one process).
--
-- KEYS  its count
-- ARGV  what: take or line; how long a message fills the bucket (relaxed, tight), what the bucket holds (all ms);
--       take: how many have left, how many are wanted, within how long (ms)
-- Answer  take: how many were taken, when the bucket has room for the first (µs from now, negative: it has), how long each
--         fills it (µs); line: ms until the place
--
-- Sent again, it counts again: some messages leave later than they could.

local WHAT, RELAXED, TIGHT, BURST = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local SCARCE, KEPT = 1000, 2000

local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local known = redis.call('HMGET', KEYS[1], 'asked', 'full', 'scarce', 'line')
local function at(index)
  return tonumber(known[index] or nil)
end
-- Redis' clock was put back: nobody asked to wait for that.
local back = math.max(0, (at(1) or 0) - now)
local full = math.max(now, (at(2) or 0) - back)
local scarce = at(3) and at(3) > 0 and at(3) - back
local line = math.max(now, (at(4) or 0) - back)
local answer

if WHAT == 'line' then
  answer = math.floor(line - now)
  line = line + TIGHT
else
  local SENT, WANTED, WITHIN = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
  full = full + SENT * RELAXED
  local ahead = full - now - BURST
  if ahead + RELAXED <= 0 then scarce = false end
  local step = scarce and now - scarce >= SCARCE and TIGHT or RELAXED
  local granted = math.max(0, math.min(WANTED, math.floor((WITHIN - ahead) / step)))
  full = full + granted * step
  local after = full - now - BURST
  scarce = after > 0 and (scarce or now)
  answer = { granted, math.floor(ahead * 1000), math.floor(step * 1000) }
end

local function text(ms)
  return string.format('%.3f', ms)
end
redis.call('HSET', KEYS[1], 'asked', text(now), 'full', text(full), 'scarce', text(scarce or 0), 'line', text(line))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.max(full, line) - now + KEPT))
return answer
