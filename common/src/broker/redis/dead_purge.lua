-- names -> how many were there
local found = 0
for i = 1, #ARGV do
  redis.call('HDEL', letters, ARGV[i])
  found = found + redis.call('ZREM', dead, ARGV[i])
end
if 0 < found then
  redis.call('HINCRBY', stats, 'purged', found)
end
return found
