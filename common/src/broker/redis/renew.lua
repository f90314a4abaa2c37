-- ttl in ms, leases -> those that are lost
local ttl = number()
local deadline = now_ms() + ttl
local lost = {}
for i = at + 1, #ARGV do
  if redis.call('ZSCORE', leases, ARGV[i]) then
    redis.call('ZADD', leases, 'XX', 'GT', deadline, ARGV[i])
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
