-- What is popped or looked at first, before the size of this queue's elements is known, and what is short enough to be
-- read whole without such a look.
local CHUNK_FIRST = 16
local SHORT = 100

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

-- Moves many elements without looking at each: Redis copies the range within itself, or renames the list. In a script
-- every element that is seen costs more than this whole way. Returns how many, or nil where the bytes may not fit; then
-- nothing has been moved.
local function move_unseen(from, to, length, tasks_max, bytes_max)
  local count = math.min(length, tasks_max)
  local head = bytes_of(redis.call('LRANGE', from, -CHUNK_FIRST, -1))
  if bytes_max / 2 < head / CHUNK_FIRST * count then
    return nil
  end
  if count == length then
    redis.call('RENAME', from, to)
  else
    local copied = redis.pcall('SORT', from, 'BY', 'nosort', 'LIMIT', length - count, count, 'STORE', to)
    if copied ~= count then
      return nil -- not allowed to us, say
    end
  end
  -- More than the elements' own bytes, by little.
  local bytes = redis.pcall('MEMORY', 'USAGE', to, 'SAMPLES', 0)
  if type(bytes) ~= 'number' or bytes_max < bytes then
    if count == length then
      redis.call('RENAME', to, from)
    else
      redis.call('DEL', to)
    end
    return nil
  end
  if count < length then
    redis.call('LTRIM', from, 0, -count - 1)
  end
  return count
end

-- Moves elements one by one, until there are enough or their bytes are.
local function move_seen(from, to, tasks_max, bytes_max)
  local moved, bytes, chunk = 0, 0, CHUNK_FIRST
  while moved < tasks_max and (bytes < bytes_max or moved == 0) do
    local popped = redis.call('RPOP', from, math.min(chunk, tasks_max - moved))
    if not popped then
      break
    end
    local fit
    fit, bytes = fitting(popped, bytes, bytes_max)
    redis.call('LPUSH', to, unpack(popped, 1, fit))
    moved = moved + fit
    for i = #popped, fit + 1, -1 do
      redis.call('RPUSH', from, popped[i])
    end
    local average = math.max(1, bytes / moved)
    chunk = math.max(1, math.min(CHUNK, math.ceil((bytes_max - bytes) / average)))
  end
  return moved
end

-- Moves elements from the head of a list to the new list `to`, the head of both at their right end. Returns how many.
local function move_head(from, to, tasks_max, bytes_max)
  local length = redis.call('LLEN', from)
  if length == 0 then
    return 0
  end
  if SHORT < math.min(length, tasks_max) then
    local moved = move_unseen(from, to, length, tasks_max, bytes_max)
    if moved then
      return moved
    end
  elseif length <= tasks_max and bytes_of(redis.call('LRANGE', from, 0, -1)) <= bytes_max then
    redis.call('RENAME', from, to)
    return length
  end
  return move_seen(from, to, tasks_max, bytes_max)
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
  local moved = move_head(source, batch_key(lease), wish.tasks_max, wish.bytes_max)
  if redis.call('LLEN', source) == 0 then
    redis.call('ZREM', delayed, due)
    redis.call('HDEL', meta, due)
  end
  write_meta(lease, deliveries + 1, suspicion, alone, wish.worker)
  if 0 < deliveries then
    redis.call('HINCRBY', stats, 'redelivered', moved)
  end
  return { 'batch', deliveries + 1 }
end

-- -> 1 when there is nothing to take any more; then a ring that nobody has heard yet calls nobody to anything.
local function is_last(due)
  if due or 0 < redis.call('LLEN', queue) then
    return 0
  end
  redis.call('DEL', bell)
  return 1
end

local function read_wish()
  return { lease = arg(), tasks_max = number(), bytes_max = number(), ttl = number(), worker = arg() }
end

-- -> {'batch', deliveries, 1 if it is the last}, whose elements the caller reads from its list | {'empty'} | {'paused'} | {'used'}
local function take(wish)
  local lease, now = wish.lease, now_ms()
  if redis.call('ZSCORE', leases, lease) then
    redis.call('ZADD', leases, 'XX', 'GT', now + wish.ttl, lease)
    local deliveries = read_meta(lease)
    return { 'batch', deliveries, is_last(first_due(now)) }
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
    taken[3] = is_last(first_due(now))
  else
    if move_head(queue, batch_key(lease), wish.tasks_max, wish.bytes_max) == 0 then
      return { 'empty' }
    end
    write_meta(lease, 1, 0, 0, wish.worker)
    taken = { 'batch', 1, is_last() }
  end
  redis.call('ZADD', leases, now + wish.ttl, lease)
  return taken
end
