-- -> {counters, waiting, leased, delayed, dead, batches under lease, paused, oldest waiting element or false}
local function tasks_in(zset)
  local tasks, batches = 0, redis.call('ZRANGE', zset, 0, -1)
  for _, id in ipairs(batches) do
    tasks = tasks + redis.call('LLEN', batch_key(id))
  end
  return tasks, #batches
end

local leased, batches = tasks_in(leases)
return {
  redis.call('HGETALL', stats),
  redis.call('LLEN', queue),
  leased,
  (tasks_in(delayed)),
  redis.call('ZCARD', dead),
  batches,
  redis.call('EXISTS', paused),
  redis.call('LINDEX', queue, -1),
}
