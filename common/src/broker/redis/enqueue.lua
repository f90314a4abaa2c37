-- producer, batch, producer ttl in ms, waiting max, counts, number of tasks, tasks (oldest first)
-- -> {'accepted', accepted so far} | {'already'} | {'full', waiting}
-- Where fewer tasks are given than there are, the rest follows behind this script, in the same transaction: `LPUSHX door ...`,
-- `RENAMENX door queue`. In a script every one of them would cost as much again as pushing it. The queue is at the door
-- only when the tasks are accepted. In every other case, an error of this script included, nothing is there, and what
-- follows does nothing: no two enqueues have the same door.

-- One worker for each so many tasks: a few come to one, as a batch.
local TASKS_PER_RING = 500

local producer = arg()
local door = batch_key(producer .. ':' .. ARGV[at + 1]) -- which `fsck` would take for a stray batch
local batch = number()
local last_batch = prefix .. 'p:' .. producer
local producer_ttl = number()
local waiting_max = number()
local counts = read_counts()
local tasks = number()
local given = #ARGV - at
assert(given == tasks or 0 < given and given < tasks, 'arguments do not add up')

local last = tonumber(redis.call('GET', last_batch) or 0)
if batch <= last then
  redis.call('PEXPIRE', last_batch, producer_ttl)
  return { 'already' }
end
local waiting = redis.call('LLEN', queue)
if 0 < tasks and waiting_max < waiting + tasks then
  return { 'full', waiting }
end
if given < tasks and redis.call('EXISTS', door) == 1 then
  return redis.error_reply('ERR ' .. door .. ' is there already: `tidemill fsck --fix` puts its tasks back')
end
redis.call('SET', last_batch, batch, 'PX', producer_ttl)
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
local accepted = redis.call('HINCRBY', stats, 'accepted', tasks)
if given < tasks then
  redis.call('RENAME', queue, door)
end
return { 'accepted', accepted }
