-- 1 to pause, 0 to go on
if 0 < number() then
  redis.call('SET', paused, 1)
else
  redis.call('DEL', paused)
  ring(RINGS_MAX)
end
return 1
