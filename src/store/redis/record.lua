-- Shared by the scripts of one conversation; put before each of them.
--
-- The record holds everything small of a conversation and its state, as one packed string: read whole, written whole.
-- (Measured with a state of 350 bytes: 456 bytes of memory, against 1,176 for a hash of the same fields.)
-- New fields are added at the end; an older record reads as 0 there.
--
-- version    of the state; every commit adds one        wakeAt     when the state asked to be woken, ms; 0 = never
-- schema     newest of all that is kept (it only rises)  notBefore  nobody works before this, ms; 0 = at once
-- state      sealed bytes; '' = none yet                msgSeq     number of the last message ever filed
-- fence      number of the last lease                   outSeq     number of the last reply ever appended
-- leaseEnd   ms; 0 = nobody holds it                    expired    leases that ran out since the last commit
-- nonce      of the command that took the lease         dropped    messages refused, of which no turn was told
-- committed  fence of the last commit                   told       how many of them the lease holder was told
-- refused    nonce of the last command that was refused           lost       1: the record was lost, and no commit followed yet
-- handed     nonce of the release that last handed work over, since the last commit or lease; 0 = none did
-- earliest   no new message brings notBefore forward beyond this, ms
-- tries      of the outbox's first reply: sends that the platform perhaps took; the first of them was at triedAt, ms
-- undelivered  1: the shard's index of undelivered replies has the conversation
-- takeover   1: the lease was taken because another one had run out
-- knew       number of the last message that was filed when the last commit came, or the last reply was delivered: later ones
--            may answer it
-- mark       nonce of the release that handed over what the lease holder works on; 0 = the lease came with it
--
-- Queue and outbox are lists. They only grow at the tail and shrink at the head, so numbers follow from the lengths.

local FIELDS = {
  'version', 'schema', 'state', 'fence', 'leaseEnd', 'nonce', 'wakeAt', 'notBefore',
  'msgSeq', 'outSeq', 'expired', 'dropped', 'told', 'refused', 'committed', 'handed', 'lost',
  'earliest', 'tries', 'triedAt', 'undelivered', 'takeover', 'knew', 'mark',
}
local RECORD, QUEUE, OUTBOX, DUE = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- The nonce is the lease's: `accept` and `claim` bring it, whoever holds the lease repeats it.
local CONVERSATION, NONCE = ARGV[1], ARGV[3]

-- Numbers come as one string, which costs the client less than an argument each: the record's life (ms), then a script's own.
local NUMBERS = {}
for number in string.gmatch(ARGV[2], '%S+') do NUMBERS[#NUMBERS + 1] = tonumber(number) end
local STATE_MS = NUMBERS[1]

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local packed = redis.call('GET', RECORD)
local values = packed and cmsgpack.unpack(packed) or {}
local r = {}
for i, field in ipairs(FIELDS) do r[field] = values[i] or 0 end
if not packed then r.state, r.nonce, r.refused = '', '', '' end

local function save()
  for i, field in ipairs(FIELDS) do values[i] = r[field] end
  while values[#values] == 0 do values[#values] = nil end -- they read as 0 all the same
  redis.call('SET', RECORD, cmsgpack.pack(values), 'PX', STATE_MS)
end

-- A lease that ran out but was taken by nobody else still counts: the fence protects the state, the time does not.
-- A failover that loses the last writes can give the same fence twice; the nonces differ.
local function holds(fence) return r.leaseEnd > 0 and r.fence == fence and r.nonce == NONCE end

-- A failover may lose the release that handed work over, and with it the message: the lease lives on, and the next message
-- gets the same number. `mark` is the nonce of that release; '' where none of it is known.
local function knows(mark) return mark == '' or r.mark == mark end

local function free() return r.leaseEnd <= now and r.notBefore <= now end

local function wakeIsDue() return r.wakeAt > 0 and r.wakeAt <= now end

-- The record was lost (evicted, deleted) while other keys lived on. The state begins anew; the numbers go on from the
-- clock's milliseconds, which no count has come to: a number that was given before must not come again.
local function beginAnew() r.fence, r.msgSeq, r.outSeq, r.lost, r.undelivered = now, now, now, 1, 1 end

local function lease(leaseMs)
  r.takeover = r.leaseEnd > 0 and 1 or 0
  r.expired = r.expired + r.takeover
  if r.msgSeq < redis.call('LLEN', QUEUE) or r.outSeq < redis.call('LLEN', OUTBOX) then beginAnew() end
  r.fence, r.leaseEnd, r.nonce, r.notBefore = r.fence + 1, now + leaseMs, NONCE, 0
  r.told, r.handed, r.mark = r.dropped, 0, 0
end

local function unlease() r.leaseEnd, r.nonce, r.mark = 0, '', 0 end

-- Files the conversation under the moment somebody must look at it. `keep` (an option of ZADD): 'LT' = never later.
local function schedule(keep)
  local at
  if r.leaseEnd > 0 then
    at = r.leaseEnd
  else
    if redis.call('EXISTS', QUEUE, OUTBOX) > 0 then at = math.max(now, r.notBefore) end
    if r.wakeAt > 0 then
      local wake = math.max(r.wakeAt, r.notBefore)
      at = math.min(at or wake, wake)
    end
  end
  if not at then
    redis.call('ZREM', DUE, CONVERSATION)
  elseif keep then
    redis.call('ZADD', DUE, keep, at, CONVERSATION)
  else
    redis.call('ZADD', DUE, at, CONVERSATION)
  end
end

-- What becomes `Next`: its numbers (now, head's seq or 0, attempts, wake (0 or 1), dropped, whether the head is current (0 or
-- 1)) and the head's body or ''.
-- Numbers go as one string: the client reads each part of a list by itself, and takes its time.
local function nextWork()
  local head = redis.call('LINDEX', QUEUE, 0)
  local seq = head and r.msgSeq - redis.call('LLEN', QUEUE) + 1 or 0
  local wake = not head and wakeIsDue() and 1 or 0
  local current = seq > r.knew and 1 or 0
  return table.concat({ now, seq, r.expired + 1, wake, r.told, current }, ' '), head or ''
end

-- What becomes `Work`: its numbers (fence, version, the outbox's first seq, lost (0 or 1), takeover (0 or 1), tries, when the
-- first was, those of `Next`), state, head's body, outbox.
local function work()
  local outbox = redis.call('LRANGE', OUTBOX, 0, -1)
  local numbers, head = nextWork()
  local firstSeq = r.outSeq - #outbox + 1
  numbers = table.concat({ r.fence, r.version, firstSeq, r.lost, r.takeover, r.tries, r.triedAt, numbers }, ' ')
  return { numbers, r.state, head, outbox }
end
