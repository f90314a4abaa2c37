-- owner, shards of the plan, ttl in ms -> {owners, revision, {shard, record, ...}}
-- The rules are those of broker/shards/book.rs, and stand in its order.
local owner = ARGV[1]
local plan = tonumber(ARGV[2])
local ttl = tonumber(ARGV[3])
local now = now_ms()

local function write_owner(name, member)
  redis.call('HSET', owners, name,
    string.format('%.0f|%.0f|%d|%d', member.deadline, member.ttl, member.plan, member.waited_for))
end

-- Prolongs the caller's time, and forgets those whose time ran out. Returns who is there, and how many.
local function renew()
  local members, is_quiet = {}, true
  local records = redis.call('HGETALL', owners)
  for i = 1, #records, 2 do
    local deadline, its_ttl, its_plan, waited_for = string.match(records[i + 1], '^(%d+)|(%d+)|(%d+)|(%d)$')
    if deadline then
      local member = { ttl = tonumber(its_ttl), plan = tonumber(its_plan), waited_for = tonumber(waited_for) }
      -- Farther ahead than it can have asked for: the clock was set back.
      member.deadline = math.min(tonumber(deadline), now + member.ttl)
      member.is_changed = member.deadline < tonumber(deadline)
      is_quiet = is_quiet and member.deadline <= now
      members[records[i]] = member
    else
      redis.call('HDEL', owners, records[i])
    end
  end
  local broker_was_away = members[owner] ~= nil and is_quiet
  local there = 1
  members[owner] = nil
  for name, member in pairs(members) do
    if member.deadline <= now and broker_was_away and member.waited_for == 0 then
      member.deadline, member.waited_for, member.is_changed = now + member.ttl, 1, true
    end
    if now < member.deadline then
      there = there + 1
      if member.is_changed then
        write_owner(name, member)
      end
    else
      members[name] = nil
      redis.call('HDEL', owners, name)
    end
  end
  write_owner(owner, { deadline = now + ttl, ttl = ttl, plan = plan, waited_for = 0 })
  members[owner] = true
  return members, there
end

local members, there = renew()
local records, held, others = {}, {}, {}
local all = redis.call('HGETALL', shards)
for i = 1, #all, 2 do
  local shard, holder = tonumber(all[i]), holder_of(all[i + 1])
  if not (shard and members[holder]) or (holder == owner and not (shard < plan and read_shard(all[i + 1]))) then
    redis.call('HDEL', shards, all[i])
  else
    records[shard] = all[i + 1]
    if holder == owner then
      held[#held + 1] = shard
    elseif shard < plan then
      others[holder] = (others[holder] or 0) + 1
    end
  end
end

-- All may hold the quotient; of the remainder one each, who have it.
local quotient, remainder = math.floor(plan / there), plan % there
local have_more = 0
for _, count in pairs(others) do
  if quotient < count then
    have_more = have_more + 1
  end
end
local limit = have_more < remainder and quotient + 1 or quotient

table.sort(held)
while limit < #held do
  local highest = table.remove(held)
  records[highest] = nil
  redis.call('HDEL', shards, highest)
end
local next_shard = 0
while #held < limit and next_shard < plan do
  if not records[next_shard] then
    records[next_shard] = string.format('%s|%.0f|0', owner, now)
    redis.call('HSET', shards, next_shard, records[next_shard])
    held[#held + 1] = next_shard
  end
  next_shard = next_shard + 1
end

table.sort(held)
local list = {}
for _, shard in ipairs(held) do
  list[#list + 1] = shard
  list[#list + 1] = records[shard]
end
return { there, revision(), list }
