-- Takes the lease of a conversation that is due.
--
-- KEYS  record, queue, outbox, due
-- ARGV  conversation, numbers (record's life, our schema, lease (ms)), nonce
-- Answer  the work; 'newer': something in it is not ours to read; 'none': there is nothing to do now, `due` says when
--
-- Sent again, it gives the same lease. A lease that ran out is counted in `expired`; one given back is not.
-- `due` names no conversation without a record: where there is none, it was lost, and the work says so.

local SCHEMA, LEASE_MS = unpack(NUMBERS, 2)

if r.nonce == NONCE and r.leaseEnd > 0 then return work() end
if not packed then beginAnew() end
if r.schema > SCHEMA then return 'newer' end
if not free() then
  schedule()
  return 'none'
end
if redis.call('EXISTS', QUEUE, OUTBOX) == 0 and not wakeIsDue() and r.lost == 0 then
  if r.leaseEnd > 0 then
    unlease()
    save()
  end
  schedule()
  return 'none'
end
-- What this lease will write, an intent perhaps before any commit, older processes cannot read.
r.schema = math.max(r.schema, SCHEMA)
lease(LEASE_MS)
save()
schedule()
return work()
