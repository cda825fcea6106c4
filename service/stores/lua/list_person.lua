-- Every row assigned to or claimed by one person; the caller filters and orders these few.
-- A claim that ended by itself leaves its session behind: it goes here, once it ended so long ago
-- that no clock still counts it. Renewing puts it back.
local who, now, SLACK_MS = ARGV[2], tonumber(ARGV[3]), 3600000
local person, rows = P .. ':person:' .. who, {}
for _, session_id in ipairs(redis.call('SMEMBERS', person)) do
  local found = redis.call('HMGET', row_key(session_id), 'summary', 'due',
    'claim_holder', 'claim_number', 'claim_until', 'assigned')
  local assigned = table.remove(found)
  local held = found[3] == who and tonumber(found[5] or '0') + SLACK_MS > now
  if found[1] and (held or assigned == who) then
    rows[#rows + 1] = found
  else
    redis.call('SREM', person, session_id)
  end
end
return rows
