-- Removes a dead letter and returns it.
--
-- KEYS  dead letters, taken (this very command's answer, kept for a minute)
-- ARGV  id
-- Answer  the letter; nil: there is none of that id
--
-- Sent again, it gives the same answer: a letter must not be lost with the connection.

local taken = redis.call('GET', KEYS[2])
if taken then return taken end
for _, letter in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if cjson.decode(string.match(letter, '^[^\n]*')).id == ARGV[1] then
    redis.call('SET', KEYS[2], letter, 'PX', 60000)
    redis.call('LREM', KEYS[1], 1, letter)
    return letter
  end
end
return nil
