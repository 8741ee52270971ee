-- Ends a registration: gives the right back, and remembers what was registered.
--
-- KEYS  lock, fingerprint
-- ARGV  holder, fingerprint ('': nothing was registered), its life (ms)
--
-- A holder whose right has passed to another changes nothing.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then return end
if ARGV[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
redis.call('DEL', KEYS[1])
