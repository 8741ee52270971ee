-- Tells what is kept of a conversation. Changes nothing.
--
-- KEYS  record, queue, outbox, due
-- ARGV  conversation, numbers (record's life), nonce (none is needed)
-- Answer  numbers (now, end of the lease or 0), state or '', messages, replies; nil: nothing is kept

if not packed and redis.call('EXISTS', QUEUE, OUTBOX) == 0 then return nil end
return {
  table.concat({ now, r.leaseEnd }, ' '), r.state,
  redis.call('LRANGE', QUEUE, 0, -1), redis.call('LRANGE', OUTBOX, 0, -1),
}
