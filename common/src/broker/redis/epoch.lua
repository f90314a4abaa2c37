-- KEYS[1]: the last epoch given. How many (1 if not said) -> the first of them: above the last, and at least tenths of
-- a second since 2020-01-01, so that it stays above all former ones even when Redis has lost its data.
local ZERO_TENTHS = 15778368000
local time = redis.call('TIME')
local floor = time[1] * 10 + math.floor(time[2] / 100000) - ZERO_TENTHS
local last = tonumber(redis.call('GET', KEYS[1]) or 0)
local first = math.max(last + 1, floor)
redis.call('SET', KEYS[1], string.format('%.0f', first + (ARGV[1] or 1) - 1))
return string.format('%.0f', first)
