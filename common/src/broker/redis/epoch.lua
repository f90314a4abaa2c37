-- KEYS[1]: the last epoch given. -> the next: above the last, and at least tenths of a second since 2020-01-01, so
-- that it stays above all former ones even when Redis has lost its data.
local ZERO_TENTHS = 15778368000
local time = redis.call('TIME')
local floor = time[1] * 10 + math.floor(time[2] / 100000) - ZERO_TENTHS
local last = tonumber(redis.call('GET', KEYS[1]) or 0)
local epoch = string.format('%.0f', math.max(last + 1, floor))
redis.call('SET', KEYS[1], epoch)
return epoch
