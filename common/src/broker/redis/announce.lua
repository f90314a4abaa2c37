-- KEYS[1]: index of presences. instance, record, ttl in ms
local time = redis.call('TIME')
local expires = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[3]
redis.call('SET', 'tidemill:{presence}:' .. ARGV[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[1], expires, ARGV[1])
return 1
