-- most events, events (oldest first) -> {'appended' | 'already' | 'full', revision, events now}
local events_max = tonumber(ARGV[1])
local count = redis.call('ZCARD', roster)
local last = revision()
-- Events are one of a kind, and go in together or not at all: one that is here tells of all.
if not ARGV[2] or redis.call('ZSCORE', roster, ARGV[2]) then
  return { 'already', last, count }
end
if events_max < count + #ARGV - 1 then
  return { 'full', last, count }
end
-- Revisions rise with the clock, so that a Redis which lost its memory never gives one again.
local time = redis.call('TIME')
local next_revision = math.max(tonumber(last) + 1, time[1] * 1000000 + time[2])
for i = 2, #ARGV do
  redis.call('ZADD', roster, string.format('%.0f', next_revision), ARGV[i])
  next_revision = next_revision + 1
end
return { 'appended', revision(), count + #ARGV - 1 }
