-- kind, what was written off under it when the difference was seen, difference -> what was added
-- Two checks at once see the same difference: only one of them may record it.
local name = 'written_off:' .. arg()
local before, difference = number(), number()
if tonumber(redis.call('HGET', stats, name) or 0) ~= before then
  return 0
end
redis.call('HINCRBY', stats, name, difference)
return difference
