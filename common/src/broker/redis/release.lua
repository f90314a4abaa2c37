-- lease -> 'done' | 'already' | 'lost'
local lease = arg()
if not redis.call('ZSCORE', leases, lease) then
  return redis.call('GET', prefix .. 't:' .. lease) == 'released' and 'already' or 'lost'
end
local deliveries, suspicion, alone = read_meta(lease)
write_meta(lease, math.max(0, deliveries - 1), suspicion, alone, '')
redis.call('ZADD', delayed, now_ms(), lease)
ring(1)
remember(lease, 'released')
redis.call('ZREM', leases, lease)
return 'done'
