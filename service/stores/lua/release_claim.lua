-- End a claim that is still held; a lost one is left alone. KEYS: row of one session.
local row, session_id, holder, number = KEYS[1], ARGV[2], ARGV[3], ARGV[4]
local old = redis.call('HMGET', row, 'claim_holder', 'claim_number', 'assigned', 'queue')
if old[1] ~= holder or old[2] ~= number then return 0 end
redis.call('HSET', row, 'claim_holder', '', 'claim_until', '0')
person_off(session_id, holder, assignee(old[4], old[3]))
changed(session_id)
return 1
