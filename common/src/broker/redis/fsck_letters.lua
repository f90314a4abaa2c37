-- 1 to fix, names of dead letters -> {flaw, name, tasks, fixed (0 or 1), ...}
local is_fix = number() == 1
local found = {}
for i = at + 1, #ARGV do
  local id = ARGV[i]
  local has_letter = redis.call('HEXISTS', letters, id) == 1
  local has_entry = redis.call('ZSCORE', dead, id)
  local flaw
  if has_letter and not has_entry then
    flaw = 'letter_without_entry'
    if is_fix then
      redis.call('ZADD', dead, 0, id)
    end
  elseif has_entry and not has_letter then
    flaw = 'entry_without_letter'
    if is_fix then
      redis.call('ZREM', dead, id)
    end
  end
  if flaw then
    for _, value in ipairs({ flaw, id, 1, is_fix and 1 or 0 }) do
      found[#found + 1] = value
    end
  end
end
return found
