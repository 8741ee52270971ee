-- Takes the right to register a bot at its platform.
--
-- KEYS  lock
-- ARGV  holder, life (ms)
-- Answer  1; 0: another process has it
--
-- Sent again, or called again by its holder, it renews the right and gives the same answer.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
