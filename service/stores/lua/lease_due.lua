-- Take due sessions, most urgent first, then longest due. Due times are kept one set a tier of
-- urgency, so that the cost is that of what is taken and not of what waits.
local now, until_ms, left = ARGV[2], ARGV[3], tonumber(ARGV[4])
local taken = {}
for _, tier in ipairs(redis.call('ZRANGE', P .. ':due', 0, -1, 'REV')) do
  if left <= 0 then break end
  local due = P .. ':due:' .. tier
  for _, session_id in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, left)) do
    local row = row_key(session_id)
    redis.call('ZADD', due, until_ms, session_id)
    redis.call('HSET', row, 'due', until_ms)
    taken[#taken + 1] = session_id
    taken[#taken + 1] = redis.call('HINCRBY', row, 'lease', 1)
    left = left - 1
  end
end
return taken
