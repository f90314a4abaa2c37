-- first name or '-', count -> {name, letter, ...}
local from = arg()
local count = number()
local page = {}
for _, id in ipairs(redis.call('ZRANGE', dead, from, '+', 'BYLEX', 'LIMIT', 0, count)) do
  page[#page + 1] = id
  page[#page + 1] = redis.call('HGET', letters, id) or ''
end
return page
