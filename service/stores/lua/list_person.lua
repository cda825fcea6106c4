-- Every row handed to one person in the queue, or claimed; the caller filters and orders these few.
-- A claim that ended by itself leaves its session behind: it goes here, once it ended so long ago
-- that no clock still counts it. Renewing puts it back. What an earlier build kept although it
-- waits for nobody goes too, and comes back with the append that puts it in the queue.
local who, now, SLACK_MS = ARGV[2], tonumber(ARGV[3]), 3600000
local person, rows = P .. ':person:' .. who, {}
for _, session_id in ipairs(redis.call('SMEMBERS', person)) do
  local found = redis.call('HMGET', row_key(session_id), 'summary', 'due',
    'claim_holder', 'claim_number', 'claim_until', 'queue', 'assigned')
  local assigned = table.remove(found)
  local queue = table.remove(found)
  local held = found[3] == who and tonumber(found[5] or '0') + SLACK_MS > now
  if found[1] and (held or assignee(queue, assigned) == who) then
    rows[#rows + 1] = found
  else
    redis.call('SREM', person, session_id)
  end
end
return rows
