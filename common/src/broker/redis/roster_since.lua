-- revision, most events -> {restart (0 or 1), revision after these events, {event, ...}}
local since, events_max = ARGV[1], ARGV[2]
local is_known = since == '0' or 0 < redis.call('ZCOUNT', roster, since, since)
local from = is_known and '(' .. since or '-inf'
local page = redis.call('ZRANGE', roster, from, '+inf', 'BYSCORE', 'LIMIT', 0, events_max, 'WITHSCORES')
local events, upto = {}, is_known and since or '0'
for i = 1, #page, 2 do
  events[#events + 1] = page[i]
  upto = string.format('%.0f', tonumber(page[i + 1]))
end
return { is_known and 0 or 1, upto, events }
