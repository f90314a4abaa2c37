-- names -> how many were there. They count as accepted already.
local found = 0
for i = 1, #ARGV do
  local letter = redis.call('HGET', letters, ARGV[i])
  local head = letter and string.find(letter, '\n', 1, true)
  if head then
    redis.call('LPUSH', queue, string.sub(letter, head + 1))
    redis.call('HDEL', letters, ARGV[i])
    redis.call('ZREM', dead, ARGV[i])
    found = found + 1
  end
end
if 0 < found then
  ring(1)
end
return found
