-- KEYS[1]: index of presences. instance
redis.call('DEL', 'tidemill:{presence}:' .. ARGV[1])
return redis.call('ZREM', KEYS[1], ARGV[1])
