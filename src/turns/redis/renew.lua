-- Extends a lease from now on.
--
-- KEYS  record, queue, outbox, due
-- ARGV  conversation, record's life (ms), fence, lease (ms)
-- Answer  1; 0: the lease is lost

if not holds(ARGV[3]) then return 0 end
r.leaseEnd = now + tonumber(ARGV[4])
save()
schedule()
return 1
