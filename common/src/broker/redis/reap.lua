-- backoff first and longest in ms, names for dead letters (as many as leases are reaped at most)
-- -> {returned, bisected, convicted}
local backoff_first = number()
local backoff_longest = number()
local leases_max = #ARGV - at

-- A batch that expires this often is halved; a task that expires alone this often is convicted.
local COMPANY_MAX = 2
local ALONE_MAX = 3
-- Halving moves elements: after so many, the rest waits for the next sweep.
local MOVED_MAX = 5000

-- Between half and all of the backoff; the random part is the lease's own name.
local function backoff(lease, times)
  local full = math.min(backoff_longest, backoff_first * 2 ^ (times - 1))
  local spread = (tonumber(string.sub(lease, -4), 16) or 0) / 65536
  return math.floor(full * (0.5 + spread / 2))
end

local function give_back(lease, due, deliveries, suspicion, alone)
  write_meta(lease, deliveries, suspicion, alone, '')
  redis.call('ZADD', delayed, due, lease)
end

-- The older half keeps the lease's name and so its place; equal due times are taken in the order of names.
local function bisect(lease, now, length, deliveries)
  local newer = lease .. ':0'
  local keep = math.ceil(length / 2)
  local rest = redis.call('LRANGE', batch_key(lease), 0, length - keep - 1)
  for from = 1, #rest, CHUNK do
    redis.call('RPUSH', batch_key(newer), unpack(rest, from, math.min(from + CHUNK - 1, #rest)))
  end
  redis.call('LTRIM', batch_key(lease), length - keep, -1)
  give_back(lease, now, deliveries, 1, 0)
  give_back(newer, now, deliveries, 1, 0)
  return #rest
end

local function convict(lease, id, deliveries, worker)
  local time = redis.call('TIME')
  local letter = string.format(
    '{"reason":"crash","code":null,"error":"its lease expired %d times while it was alone in its batch",' ..
    '"symbol":null,"attempts":%d,"worker":%s,"died_at":%s%06d}\n',
    ALONE_MAX, deliveries, cjson.encode(worker), time[1], time[2])
  redis.call('HSET', letters, id, letter .. redis.call('LINDEX', batch_key(lease), 0))
  redis.call('ZADD', dead, 0, id)
  redis.call('UNLINK', batch_key(lease))
  redis.call('HDEL', meta, lease)
end

local now = now_ms()
local returned, bisected, convicted, moved = 0, 0, 0, 0
for _, lease in ipairs(redis.call('ZRANGE', leases, '-inf', now, 'BYSCORE', 'LIMIT', 0, leases_max)) do
  local length = redis.call('LLEN', batch_key(lease))
  local deliveries, suspicion, alone, worker = read_meta(lease)
  if length == 0 then
    redis.call('HDEL', meta, lease)
  elseif length == 1 and ALONE_MAX <= alone + 1 then
    convicted = convicted + 1
    convict(lease, ARGV[at + convicted], deliveries, worker)
  elseif length == 1 then
    returned = returned + 1
    give_back(lease, now + backoff(lease, alone + 1), deliveries, suspicion, alone + 1)
  elseif COMPANY_MAX <= suspicion + 1 then
    bisected = bisected + 1
    moved = moved + bisect(lease, now, length, deliveries)
  else
    returned = returned + 1
    give_back(lease, now + backoff(lease, suspicion + 1), deliveries, suspicion + 1, 0)
  end
  remember(lease, 'reaped')
  redis.call('ZREM', leases, lease)
  if MOVED_MAX <= moved then
    break
  end
end
-- Halves are due at once; what has a backoff is found by a look.
ring(bisected)
return { returned, bisected, convicted }
