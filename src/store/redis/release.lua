-- Ends a delivery: drops what was sent, and hands over the next work under the same lease or frees it.
--
-- KEYS  record, queue, outbox, due, undelivered
-- ARGV  conversation, numbers (record's life, fence, sent seq, delay until anybody may go on (ms; -1 = none), lease (ms),
--       our schema, delay beyond which no message brings that forward (ms), tries of the first reply that is left, when the
--       first was (ms), when that reply was made (ms; 0 = it is none, or not known)), nonce, nonce of this release
-- Answer  the next work; nil: the lease is freed, or it was lost
--
-- Sent again it finds the same next work, or the lease gone. Work that a release handed over before, and that no commit
-- ended, counts in `expired` as if a lease had run out: nothing is handed over forever. What is left of the outbox comes
-- before any further step, so then the lease is freed, and whoever claims it next gets the outbox.

local FENCE, SENT_SEQ, DELAY, LEASE_MS, SCHEMA, LEAST, TRIES, TRIED_AT, MADE_AT = unpack(NUMBERS, 2)
local UNDELIVERED, RELEASE = KEYS[5], ARGV[4]

if not holds(FENCE) then return nil end
local length = redis.call('LLEN', OUTBOX)
local sent = math.max(0, SENT_SEQ - r.outSeq + length)
local more = redis.call('EXISTS', QUEUE) == 1 or wakeIsDue()
-- A message that a newer process filed meanwhile is left to those who can read it.
local handOver = more and DELAY < 0 and sent >= length and r.schema <= SCHEMA

if handOver then
  if r.handed ~= 0 and r.handed ~= RELEASE then r.expired = r.expired + 1 end
  r.handed, r.mark = RELEASE, RELEASE
  r.leaseEnd, r.told = now + LEASE_MS, r.dropped
else
  unlease()
  r.lost, r.handed, r.takeover = 0, 0, 0
  r.notBefore, r.earliest = DELAY < 0 and 0 or now + DELAY, now + LEAST
end
r.tries, r.triedAt = TRIES, TRIED_AT
if sent > 0 then r.knew = r.msgSeq end
local wasUndelivered = r.undelivered == 1
if sent >= length then
  r.undelivered = 0
elseif MADE_AT > 0 then
  r.undelivered = 1
end
save()
if r.undelivered == 1 and MADE_AT > 0 then
  redis.call('ZADD', UNDELIVERED, MADE_AT, CONVERSATION)
  redis.call('PEXPIRE', UNDELIVERED, STATE_MS)
elseif wasUndelivered and r.undelivered == 0 then
  redis.call('ZREM', UNDELIVERED, CONVERSATION)
end
if sent > 0 then redis.call('LTRIM', OUTBOX, sent, -1) end
schedule()
return handOver and { nextWork() } or nil
