-- Takes the lease of a conversation that is due.
--
-- KEYS  record, queue, outbox, due
-- ARGV  conversation, record's life (ms), nonce, our schema, lease (ms)
-- Answer  the work; 'newer': the state is not ours to read; 'none': there is nothing to do now, `due` says when
--
-- Sent again, it gives the same lease. A lease that ran out is counted in `expired`; one given back is not.

if r.nonce == ARGV[3] and r.leaseEnd > 0 then return work() end
if r.schema > tonumber(ARGV[4]) then return 'newer' end
if not free() then
  schedule()
  return 'none'
end
if redis.call('EXISTS', QUEUE, OUTBOX) == 0 and not wakeIsDue() then
  if r.leaseEnd > 0 then
    unlease()
    save()
  end
  schedule()
  return 'none'
end
lease(ARGV[3], tonumber(ARGV[5]))
save()
schedule()
return work()
