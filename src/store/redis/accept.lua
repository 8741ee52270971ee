-- Files a message, which brings forward what waits, and, if asked and possible, takes the conversation's lease.
--
-- KEYS  record, queue, outbox, due, memory (of message ids)
-- ARGV  conversation, numbers (record's life, take (0 or 1), our schema, lease (ms), cap of the queue, memory's life (ms),
--       ids to remember), nonce, mark, body
-- Answer  the work, or 'queued', 'duplicate', 'full'
--
-- The mark is 8 bytes: 6 of the id's hash, 2 of the nonce's. Same id and same nonce: the command was sent again; it
-- changes nothing and is answered as before. Same id, other nonce: the platform delivered the message again.
-- The memory is one string of marks, which lapses as a whole after the last message. What was refused is not in it: it may
-- come again.

local MEMORY, MARK, ID, BODY = KEYS[5], ARGV[4], string.sub(ARGV[4], 1, 6), ARGV[5]
local TAKE, SCHEMA, LEASE_MS, CAP, MEMORY_MS, REMEMBERED = unpack(NUMBERS, 2)
local SIZE = #MARK

local marks = redis.call('GET', MEMORY) or ''
local at = string.find(marks, ID, 1, true)
while at and at % SIZE ~= 1 do at = string.find(marks, ID, at + 1, true) end
if at then
  if string.sub(marks, at, at + SIZE - 1) ~= MARK then return 'duplicate' end
  if r.nonce == NONCE and r.leaseEnd > 0 then return work() end
  return 'queued'
end
if not packed and marks ~= '' then beginAnew() end

if redis.call('LLEN', QUEUE) >= CAP or r.refused == NONCE then
  if r.refused ~= NONCE then r.dropped, r.refused = r.dropped + 1, NONCE end
  save()
  return 'full'
end

redis.call('SET', MEMORY, string.sub(marks .. MARK, -SIZE * REMEMBERED), 'PX', MEMORY_MS)
redis.call('RPUSH', QUEUE, BODY)
redis.call('PEXPIRE', QUEUE, STATE_MS)
r.msgSeq = r.msgSeq + 1
-- Older processes leave the conversation to those who can read the message.
r.schema = math.max(r.schema, SCHEMA)
r.notBefore = math.min(r.notBefore, r.earliest)

if TAKE == 1 and free() and r.schema <= SCHEMA then
  lease(LEASE_MS)
  save()
  schedule()
  return work()
end
save()
schedule('LT')
return 'queued'
