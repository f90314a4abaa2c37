-- owner, {shard, since, epoch, ...} -> {shard, record, ...} of those that are still held
-- Gives shards the epochs that were fetched for them. `since` says for which grant: an epoch that was fetched before
-- somebody else held the shard must not be used after.
local owner = ARGV[1]
local list = {}
for i = 2, #ARGV, 3 do
  local shard, since, epoch = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local record = redis.call('HGET', shards, shard)
  local holder, its_since, its_epoch = read_shard(record or '')
  if holder == owner and its_since == since then
    if its_epoch == '0' then
      record = owner .. '|' .. since .. '|' .. epoch
      redis.call('HSET', shards, shard, record)
    end
    list[#list + 1] = shard
    list[#list + 1] = record
  end
end
return list
