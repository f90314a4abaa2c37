-- owner -> shards that it held
local freed = 0
local all = redis.call('HGETALL', shards)
for i = 1, #all, 2 do
  if holder_of(all[i + 1]) == ARGV[1] then
    freed = freed + redis.call('HDEL', shards, all[i])
  end
end
redis.call('HDEL', owners, ARGV[1])
return freed
