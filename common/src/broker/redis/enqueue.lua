-- producer, batch, producer ttl in ms, waiting max, counts, tasks (oldest first)
-- -> {'accepted', accepted so far} | {'already'} | {'full', waiting}
-- One worker for each so many tasks: a few come to one, as a batch.
local TASKS_PER_RING = 500

local producer = prefix .. 'p:' .. arg()
local batch = number()
local producer_ttl = number()
local waiting_max = number()
local counts = read_counts()
local tasks = #ARGV - at

local last = tonumber(redis.call('GET', producer) or 0)
if batch <= last then
  redis.call('PEXPIRE', producer, producer_ttl)
  return { 'already' }
end
local waiting = redis.call('LLEN', queue)
if 0 < tasks and waiting_max < waiting + tasks then
  return { 'full', waiting }
end
redis.call('SET', producer, batch, 'PX', producer_ttl)
append(queue, at + 1, #ARGV)
if 0 < tasks then
  ring(1 + math.floor(tasks / TASKS_PER_RING))
end
add_counts(counts)
-- Names this ledger's life: a Redis that was emptied begins another.
if redis.call('HEXISTS', stats, 'generation') == 0 then
  local time = redis.call('TIME')
  redis.call('HSET', stats, 'generation', string.format('%.0f', time[1] * 1000000 + time[2]))
end
return { 'accepted', redis.call('HINCRBY', stats, 'accepted', tasks) }
