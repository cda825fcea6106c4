-- The earliest due time of all sessions, or nothing.
local earliest = false
for _, tier in ipairs(redis.call('ZRANGE', P .. ':due', 0, -1)) do
  local first = redis.call('ZRANGE', P .. ':due:' .. tier, 0, 0, 'WITHSCORES')[2]
  if first and (not earliest or tonumber(first) < tonumber(earliest)) then earliest = first end
end
return earliest
