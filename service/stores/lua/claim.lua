-- Take, renew or take over a claim. KEYS: row of one session.
local row = KEYS[1]
local session_id, holder, now, until_ms = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local take_over, renew = ARGV[6], ARGV[7]
local old = redis.call('HMGET', row, 'team', 'claim_holder', 'claim_number', 'claim_until',
  'assigned', 'queue')
if not old[1] then return {'missing'} end
local ours = old[2] == holder
local live = tonumber(old[4] or '0') > now
if renew ~= '' and not (ours and old[3] == renew) then return {'claim_lost'} end
if live and not ours and take_over ~= '1' then return {'claimed_by_other'} end
local number = old[3] or '0'
if not ours then number = tostring(tonumber(number) + 1) end
redis.call('HSET', row, 'claim_holder', holder, 'claim_number', number, 'claim_until', until_ms)
if not ours then person_off(session_id, old[2], assignee(old[6], old[5])) end
person_on(session_id, holder)
changed(session_id)
return {'claimed', number}
