-- Extends a lease from now on.
--
-- KEYS  record, queue, outbox, due
-- ARGV  conversation, numbers (record's life, fence, lease (ms)), nonce
-- Answer  1; 0: the lease is lost

local FENCE, LEASE_MS = unpack(NUMBERS, 2)

if not holds(FENCE) then return 0 end
r.leaseEnd = now + LEASE_MS
save()
schedule()
return 1
