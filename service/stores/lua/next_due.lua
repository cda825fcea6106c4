-- The earliest due time of all sessions, or nothing; those put aside are asked for.
local earliest = false
local function see(times)
  for _, tier in ipairs(redis.call('ZRANGE', P .. ':' .. times, 0, -1)) do
    local first = redis.call('ZRANGE', P .. ':' .. times .. ':' .. tier, 0, 0, 'WITHSCORES')[2]
    if first and (not earliest or tonumber(first) < tonumber(earliest)) then earliest = first end
  end
end
see('due')
if ARGV[2] == '1' then see('aside') end
return earliest
