-- Put a session's row and its places as its log wants them; leases end, a claim stays. KEYS: log, row
-- of one session. The row must fit the log.
local log, row = KEYS[1], KEYS[2]
local session_id, seq = ARGV[2], ARGV[3]
if redis.call('XLEN', log) ~= tonumber(seq) then return {'conflict'} end
local old, new = kept_row(row), given_row(4)
for _, times in ipairs({'due', 'aside'}) do
  -- In whatever tier it stands: the row may name a wrong one, and the list of tiers may lack it.
  local tiers = redis.call('ZRANGE', P .. ':' .. times, 0, -1)
  tiers[#tiers + 1] = old.urgency or new.urgency
  tiers[#tiers + 1] = new.urgency
  for _, tier in ipairs(tiers) do tier_off(times, session_id, tier, '0') end
end
put_row(row, session_id, old, new)
person_on(session_id, old.claim_holder)
return {}
