-- Take sessions that are due, or were put aside, most urgent first, then by time. Times are kept one
-- set a tier of urgency, so that the cost is that of what is taken and not of what waits.
local by, until_ms, left, times = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local taken = {}
for _, tier in ipairs(redis.call('ZRANGE', P .. ':' .. times, 0, -1, 'REV')) do
  if left <= 0 then break end
  local set = P .. ':' .. times .. ':' .. tier
  for _, session_id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', by, 'LIMIT', 0, left)) do
    -- By the tier it stands in, which its row need not name: a build that knows nothing aside may
    -- have moved the session since. Whoever has no row, or whose row waits for nothing, just goes.
    tier_off(times, session_id, tier, by)
    local wanted = redis.call('HGET', row_key(session_id), times)
    if wanted and wanted ~= '' then
      taken[#taken + 1] = session_id
      taken[#taken + 1] = lease(session_id, until_ms)
      left = left - 1
    end
  end
end
return taken
