-- KEYS[1]: set of known queues. Its own script, because it lies in a slot of its own and must work without room.
return redis.call('SADD', KEYS[1], ARGV[1])
