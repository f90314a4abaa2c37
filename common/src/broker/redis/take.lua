-- What is popped or looked at first, before the size of this queue's elements is known, and what is short enough to be
-- read whole without such a look.
local CHUNK_FIRST = 16
local SHORT = 100

local function reversed(list)
  local head_first, n = {}, #list
  for i = 1, n do
    head_first[i] = list[n + 1 - i]
  end
  return head_first
end

local function bytes_of(list)
  local bytes = 0
  for _, element in ipairs(list) do
    bytes = bytes + #element
  end
  return bytes
end

-- How many of `popped` join a batch that holds `bytes`: it stops growing once it holds bytes_max.
local function fitting(popped, bytes, bytes_max)
  for i, element in ipairs(popped) do
    bytes = bytes + #element
    if bytes_max <= bytes then
      return i, bytes
    end
  end
  return #popped, bytes
end

-- Whether a list is likely to fit whole: judged by its head, and held against half of the limit. Then it is read and
-- renamed, which is much less work than moving its elements. Wrong, it has cost one reading.
local function seems_to_fit(from, length, tasks_max, bytes_max)
  if tasks_max < length then
    return false
  end
  if length <= SHORT then
    return true
  end
  return bytes_of(redis.call('LRANGE', from, -CHUNK_FIRST, -1)) / CHUNK_FIRST * length <= bytes_max / 2
end

-- Moves elements from the head of a list to the new list `to`. Returns them, head first.
local function move_head(from, to, tasks_max, bytes_max)
  local length = redis.call('LLEN', from)
  if seems_to_fit(from, length, tasks_max, bytes_max) then
    local all = redis.call('LRANGE', from, 0, -1)
    if 0 < length and bytes_of(all) <= bytes_max then
      redis.call('RENAME', from, to)
    end
    if length == 0 or bytes_of(all) <= bytes_max then
      return reversed(all)
    end
  end
  local items, bytes, chunk = {}, 0, CHUNK_FIRST
  while #items < tasks_max and (bytes < bytes_max or #items == 0) do
    local popped = redis.call('RPOP', from, math.min(chunk, tasks_max - #items))
    if not popped then
      break
    end
    local fit
    fit, bytes = fitting(popped, bytes, bytes_max)
    redis.call('LPUSH', to, unpack(popped, 1, fit))
    for i = 1, fit do
      items[#items + 1] = popped[i]
    end
    for i = #popped, fit + 1, -1 do
      redis.call('RPUSH', from, popped[i])
    end
    local average = math.max(1, bytes / #items)
    chunk = math.max(1, math.min(CHUNK, math.ceil((bytes_max - bytes) / average)))
  end
  return items
end

-- The batch that is due first and still has elements; the empty ones (there should be none) are forgotten.
local function first_due(now)
  local due = redis.call('ZRANGE', delayed, '-inf', now, 'BYSCORE', 'LIMIT', 0, 1)[1]
  if due and redis.call('LLEN', batch_key(due)) == 0 then
    redis.call('ZREM', delayed, due)
    redis.call('HDEL', meta, due)
    return nil
  end
  return due
end

-- Leases the head of the batch `due` to `lease`. What does not fit keeps its place.
local function take_due(due, lease, wish)
  local deliveries, suspicion, alone = read_meta(due)
  local source = batch_key(due)
  local items = move_head(source, batch_key(lease), wish.tasks_max, wish.bytes_max)
  if redis.call('LLEN', source) == 0 then
    redis.call('ZREM', delayed, due)
    redis.call('HDEL', meta, due)
  end
  write_meta(lease, deliveries + 1, suspicion, alone, wish.worker)
  if 0 < deliveries then
    redis.call('HINCRBY', stats, 'redelivered', #items)
  end
  return { 'batch', deliveries + 1, items }
end

local function read_wish()
  return { lease = arg(), tasks_max = number(), bytes_max = number(), ttl = number(), worker = arg() }
end

-- -> {'batch', deliveries, elements head first} | {'empty'} | {'paused'} | {'used'}
local function take(wish)
  local lease, now = wish.lease, now_ms()
  if redis.call('ZSCORE', leases, lease) then
    redis.call('ZADD', leases, 'XX', 'GT', now + wish.ttl, lease)
    local deliveries = read_meta(lease)
    return { 'batch', deliveries, reversed(redis.call('LRANGE', batch_key(lease), 0, -1)) }
  end
  -- A batch of this name without a lease: somebody removed the lease, and taking into it would overwrite its tasks.
  if 0 < redis.call('EXISTS', prefix .. 't:' .. lease, batch_key(lease)) then
    return { 'used' }
  end
  if redis.call('EXISTS', paused) == 1 then
    return { 'paused' }
  end
  local due = first_due(now)
  local taken
  if due then
    taken = take_due(due, lease, wish)
  else
    local items = move_head(queue, batch_key(lease), wish.tasks_max, wish.bytes_max)
    if #items == 0 then
      return { 'empty' }
    end
    write_meta(lease, 1, 0, 0, wish.worker)
    taken = { 'batch', 1, items }
  end
  redis.call('ZADD', leases, now + wish.ttl, lease)
  return taken
end
