-- KEYS[1]: index of presences, pruned here. most records -> records
local time = redis.call('TIME')
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', time[1] * 1000 + math.floor(time[2] / 1000))
local records = {}
for _, instance in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1)) do
  records[#records + 1] = redis.call('GET', 'tidemill:{presence}:' .. instance) or nil
end
return records
