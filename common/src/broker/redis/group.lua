-- Every script on a group of listeners starts with this. KEYS[1] is what all keys of the group begin with, the group's
-- name being their hash tag, so a script never leaves one Cluster slot.
local prefix = KEYS[1]
local owners = prefix .. 'owners' -- hash: owner -> 'deadline in ms|ttl in ms|shards of its plan|waited for (0 or 1)'
local shards = prefix .. 'shards' -- hash: shard -> 'owner|since in ms|epoch', the epoch 0 until it was fetched
local roster = prefix .. 'roster' -- zset: event as JSON -> revision

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A record of `shards`: owner, since, epoch.
local function read_shard(record)
  local owner, since, epoch = string.match(record, '^(%x+)|(%d+)|(%d+)$')
  return owner, since, epoch
end

-- The owner of a record, without a look at the rest: a listener's name has 32 digits.
local function holder_of(record)
  return string.sub(record, 1, 32)
end

-- The revision after the last event; microseconds, so it is given as text.
local function revision()
  local last = redis.call('ZRANGE', roster, -1, -1, 'WITHSCORES')[2]
  return string.format('%.0f', tonumber(last or 0))
end
