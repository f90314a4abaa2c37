-- 1 to fix, names of batches -> {flaw, name, tasks, fixed (0 or 1), ...}
-- Each name is looked at afresh: whoever listed them did so a moment ago.
local is_fix = number() == 1
local now = now_ms()
local found = {}

local function say(flaw, id, tasks, fixed)
  for _, value in ipairs({ flaw, id, tasks, fixed }) do
    found[#found + 1] = value
  end
end

-- A lease's own name must never be taken under again; names made from it (with a colon) are nobody's lease.
local function retire(id)
  if not string.find(id, ':', 1, true) then
    remember(id, 'reaped')
  end
end

local function adopt(id)
  local deliveries, suspicion, alone = read_meta(id)
  write_meta(id, deliveries, suspicion, alone, '')
  redis.call('ZADD', delayed, now, id)
  ring(1)
  retire(id)
end

local function forget(id)
  retire(id)
  redis.call('HDEL', meta, id)
  redis.call('ZREM', leases, id)
  redis.call('ZREM', delayed, id)
end

local function check(id)
  local kind = redis.call('TYPE', batch_key(id)).ok
  if kind ~= 'list' and kind ~= 'none' then
    return say('foreign', 'b:' .. id, 0, 0)
  end
  local tasks = redis.call('LLEN', batch_key(id))
  local is_leased = redis.call('ZSCORE', leases, id)
  local is_delayed = redis.call('ZSCORE', delayed, id)
  local fixed = is_fix and 1 or 0
  if 0 < tasks and not is_leased and not is_delayed then
    say('stray_batch', id, tasks, fixed)
    return is_fix and adopt(id)
  end
  if 0 < tasks and is_leased and is_delayed then
    say('two_places', id, tasks, fixed)
    -- The lease stays: its holder may be about to settle, and if not it expires.
    return is_fix and redis.call('ZREM', delayed, id)
  end
  if tasks == 0 and (is_leased or is_delayed) then
    say('empty_batch', id, 0, fixed)
    return is_fix and forget(id)
  end
  if tasks == 0 and redis.call('HEXISTS', meta, id) == 1 then
    say('stray_meta', id, 0, fixed)
    return is_fix and redis.call('HDEL', meta, id)
  end
end

for i = at + 1, #ARGV do
  check(ARGV[i])
end
return found
