-- Say in which lists a session does not stand where its row wants it; told to write, put the row and
-- its places there, and end leases. KEYS: log, row of one session. The row must fit the log.
local log, row = KEYS[1], KEYS[2]
local session_id, seq, write = ARGV[2], ARGV[3], ARGV[4]
local summary, team, queue, alerts, newest, due, urgency, assigned =
  ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12]
if redis.call('XLEN', log) ~= tonumber(seq) then return {'conflict'} end
local old = redis.call('HMGET', row, 'team', 'queue', 'alerts', 'newest', 'due', 'urgency',
  'assigned', 'aside', 'claim_holder')
local wrong = {}

local function expect(list, holds)
  if not holds then wrong[#wrong + 1] = list end
end

local function listed(list, member, kept)
  if (kept or '') ~= member or old[1] ~= team then return false end
  return member == '' or (redis.call('ZSCORE', P .. ':' .. list, member)
    and redis.call('ZSCORE', P .. ':' .. list .. ':' .. team, member))
end

local function timed(times, at)
  if not at or at == '' then return true end
  local set = P .. ':' .. times
  return redis.call('ZSCORE', set, urgency)
    and tonumber(redis.call('ZSCORE', set .. ':' .. urgency, session_id) or -1) == tonumber(at)
end

expect('queue', listed('queue', queue, old[2]))
expect('alerts', listed('alerts', alerts, old[3]))
expect('newest', listed('newest', newest, old[4]))
local owed = old[5] and old[5] ~= ''
expect('due', old[6] == urgency and (due ~= '') == (owed or false) and timed('due', old[5]))
expect('aside', timed('aside', old[8]))
expect('person', (old[7] or '') == assigned and (assigned == ''
  or redis.call('SISMEMBER', P .. ':person:' .. assigned, session_id) == 1))
if write ~= '1' then return wrong end

for _, times in ipairs({'due', 'aside'}) do
  -- In whatever tier it stands: the row may name a wrong one, and the list of tiers may lack it.
  tier_off(times, session_id, old[6] or urgency, '0')
  tier_off(times, session_id, urgency, '0')
  for _, tier in ipairs(redis.call('ZRANGE', P .. ':' .. times, 0, -1)) do
    tier_off(times, session_id, tier, '0')
  end
end
if old[1] then
  list_off('queue', old[1], old[2])
  list_off('alerts', old[1], old[3])
  list_off('newest', old[1], old[4])
end
if old[7] ~= assigned then person_off(session_id, old[7], old[9]) end
redis.call('HINCRBY', row, 'lease', 1)
redis.call('HSET', row, 'summary', summary, 'team', team, 'queue', queue, 'alerts', alerts,
  'newest', newest, 'due', due, 'aside', '', 'urgency', urgency, 'assigned', assigned)
list_on('queue', team, queue)
list_on('alerts', team, alerts)
list_on('newest', team, newest)
due_on(session_id, urgency, due)
person_on(session_id, assigned)
person_on(session_id, old[9])
changed(session_id)
return wrong
