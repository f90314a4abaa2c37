-- revision, snapshot of all events up to it -> events put together; 0 when somebody else was faster
local upto, snapshot = ARGV[1], ARGV[2]
if redis.call('ZCOUNT', roster, upto, upto) == 0 then
  return 0
end
local removed = redis.call('ZREMRANGEBYSCORE', roster, '-inf', upto)
redis.call('ZADD', roster, upto, snapshot)
return removed
