-- -> {{owner, record, ...}, {shard, record, ...}}, records as in group.lua
return { redis.call('HGETALL', owners), redis.call('HGETALL', shards) }
