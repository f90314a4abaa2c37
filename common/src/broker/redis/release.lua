-- lease -> 'done' | 'already' | 'lost'
local lease = arg()
if not redis.call('ZSCORE', leases, lease) then
  local ending = redis.call('GET', prefix .. 't:' .. lease)
  if not ending then
    -- A take of this name may still wait for a ring, on a connection that nobody reads any more.
    remember(lease, 'given up')
  end
  return ending == 'released' and 'already' or 'lost'
end
local deliveries, suspicion, alone = read_meta(lease)
write_meta(lease, math.max(0, deliveries - 1), suspicion, alone, '')
redis.call('ZADD', delayed, now_ms(), lease)
ring(1)
remember(lease, 'released')
redis.call('ZREM', leases, lease)
return 'done'
