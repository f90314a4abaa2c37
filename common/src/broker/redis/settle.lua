-- lease, settled, counts, retry groups {after in ms, count, tasks}, dead letters {id, letter}, wishes (0 or 1)
-- -> {'done' | 'already' | 'lost', taken or false}
local lease = arg()
local settled = number()
local counts = read_counts()
local groups, retried = {}, 0
for i = 1, number() do
  local group = { after = number(), count = number() }
  group.first = at + 1
  at = at + group.count
  retried = retried + group.count
  groups[i] = group
end
local given_up = {}
for i = 1, number() do
  local id = arg()
  given_up[i] = { id, arg() }
end
local wish = 0 < number() and read_wish() or nil
assert(at == #ARGV, 'arguments do not add up')

local function settle()
  if not redis.call('ZSCORE', leases, lease) then
    return redis.call('GET', prefix .. 't:' .. lease) == 'settled' and 'already' or 'lost'
  end
  local held = redis.call('LLEN', batch_key(lease))
  local ended = settled + retried + #given_up
  if ended ~= held then
    return nil, 'settlement of ' .. ended .. ' tasks for a batch of ' .. held
  end
  local now = now_ms()
  add_counts(counts)
  for i, group in ipairs(groups) do
    -- A lease's name is never used again, so neither are the names made from it.
    local id = lease .. ':' .. i
    append(batch_key(id), group.first, group.first + group.count - 1)
    write_meta(id, 0, 0, 0, '')
    redis.call('ZADD', delayed, now + group.after, id)
    if group.after == 0 then ring(1) end
  end
  for _, letter in ipairs(given_up) do
    redis.call('HSET', letters, letter[1], letter[2])
    redis.call('ZADD', dead, 0, letter[1])
  end
  redis.call('HINCRBY', stats, 'settled', settled)
  redis.call('UNLINK', batch_key(lease))
  redis.call('HDEL', meta, lease)
  remember(lease, 'settled')
  redis.call('ZREM', leases, lease)
  return 'done'
end

local outcome, problem = settle()
if problem then
  return redis.error_reply('ERR ' .. problem)
end
return { outcome, wish and take(wish) or false }
