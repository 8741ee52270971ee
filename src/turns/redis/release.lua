-- Ends a delivery: drops what was sent, and hands over the next work under the same lease or frees it.
--
-- KEYS  record, queue, outbox, due
-- ARGV  conversation, record's life (ms), fence, sent seq, delay until anybody may go on (ms; -1 = none), lease (ms)
-- Answer  the next work; nil: the lease is freed, or it was lost
--
-- Sent again it finds the same next work, or the lease gone. What is left of the outbox comes before any further step,
-- so then the lease is freed, and whoever claims it next gets the outbox.

if not holds(ARGV[3]) then return nil end
local delay, length = tonumber(ARGV[5]), redis.call('LLEN', OUTBOX)
local sent = math.max(0, tonumber(ARGV[4]) - r.outSeq + length)
local more = redis.call('EXISTS', QUEUE) == 1 or wakeIsDue()
local handOver = more and delay < 0 and sent >= length

if handOver then
  r.leaseEnd, r.told = now + tonumber(ARGV[6]), r.dropped
else
  unlease()
  r.notBefore = delay < 0 and 0 or now + delay
end
save()
if sent > 0 then redis.call('LTRIM', OUTBOX, sent, -1) end
schedule()
return handOver and { nextWork() } or nil
