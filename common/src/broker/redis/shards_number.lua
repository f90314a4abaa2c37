-- owner, {shard, since, epoch, ...} -> {shard, since, epoch, ...} of those that are still held
-- Gives shards the epochs that were fetched for them. `since` says for which grant: an epoch that was fetched before
-- somebody else held the shard must not be used after.
local owner = ARGV[1]
local list = {}
for i = 2, #ARGV, 3 do
  local shard, since, epoch = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local holder, its_since, its_epoch = read_shard(redis.call('HGET', shards, shard) or nil)
  if holder == owner and its_since == since then
    if its_epoch == '0' then
      its_epoch = epoch
      redis.call('HSET', shards, shard, owner .. '|' .. since .. '|' .. epoch)
    end
    list[#list + 1] = shard
    list[#list + 1] = its_since
    list[#list + 1] = its_epoch
  end
end
return list
