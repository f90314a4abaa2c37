-- Every script on a queue starts with this. KEYS[1] is the queue: the key of its pending list, whose right end is the
-- head. All other keys carry the queue's name as their hash tag, so a script never leaves one Cluster slot.
local queue = KEYS[1]
local prefix = 'tidemill:{' .. queue .. '}:'
local leases = prefix .. 'leases'   -- zset: lease -> deadline in ms
local delayed = prefix .. 'delayed' -- zset: batch -> due in ms
local meta = prefix .. 'meta'       -- hash: lease or batch -> 'deliveries|suspicion|alone|worker'
local stats = prefix .. 'stats'     -- hash: the ledger's counters
local dead = prefix .. 'dead'       -- zset: dead letter -> 0, so members sort by name, which sorts by time
local letters = prefix .. 'letters' -- hash: dead letter -> its description as one line of JSON, then the task's bytes
local paused = prefix .. 'paused'   -- exists: no takes
local bell = prefix .. 'bell'       -- list: an element for each waiting worker that is to look

-- `unpack` fails above about 8,000 values.
local CHUNK = 1000
-- A lease's name is remembered longer than any repetition of a call on it can be under way.
local TOMBSTONE_MS = 120000
-- The bell never holds more, and forgets: who comes later looks before it waits.
local RINGS_MAX = 16
local RINGS_MS = 60000

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function batch_key(id)
  return prefix .. 'b:' .. id
end

local function remember(lease, how)
  redis.call('SET', prefix .. 't:' .. lease, how, 'PX', TOMBSTONE_MS)
end

-- Deliveries, expiries in company (suspicion), expiries alone, worker.
local function read_meta(id)
  local packed = redis.call('HGET', meta, id)
  if not packed then
    return 0, 0, 0, ''
  end
  local deliveries, suspicion, alone, worker = string.match(packed, '^(%d+)|(%d+)|(%d+)|(.*)$')
  return tonumber(deliveries) or 0, tonumber(suspicion) or 0, tonumber(alone) or 0, worker or ''
end

local function write_meta(id, deliveries, suspicion, alone, worker)
  redis.call('HSET', meta, id, deliveries .. '|' .. suspicion .. '|' .. alone .. '|' .. worker)
end

-- Makes up to so many of those who wait look, or the next who would wait. What an earlier ring has left counts.
local function ring(workers)
  -- A key of another kind there must not stop a script in the middle: workers look from time to time.
  local rings = redis.pcall('LLEN', bell)
  local missing = type(rings) == 'number' and math.min(workers, RINGS_MAX) - rings or 0
  for _ = 1, missing do
    redis.call('LPUSH', bell, 1)
  end
  if 0 < missing then
    redis.call('PEXPIRE', bell, RINGS_MS)
  end
end

-- Appends ARGV[first..last] to the tail of a list: the first becomes its head if the list is empty.
local function append(key, first, last)
  for from = first, last, CHUNK do
    redis.call('LPUSH', key, unpack(ARGV, from, math.min(from + CHUNK - 1, last)))
  end
end

-- The next argument; scripts read all of them before their first write, because nothing is rolled back.
local at = 0
local function arg()
  at = at + 1
  assert(ARGV[at], 'too few arguments')
  return ARGV[at]
end

local function number()
  local n = tonumber(arg())
  assert(n and 0 <= n, 'not a number')
  return n
end

-- `count` pairs of a counter's name and what to add.
local function read_counts()
  local counts = {}
  for i = 1, number() do
    local name = arg()
    counts[i] = { name, number() }
  end
  return counts
end

local function add_counts(counts)
  for _, count in ipairs(counts) do
    redis.call('HINCRBY', stats, count[1], count[2])
  end
end
