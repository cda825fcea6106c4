-- Move a lease's end while it is still ours, or give it back: then the session is put aside, and
-- whoever has a free slot hears of it. KEYS: row of one session.
local row, session_id, number, until_ms, since = KEYS[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local old = redis.call('HMGET', row, 'team', 'lease', 'urgency', 'due')
if not old[1] or (old[2] or '0') ~= number then return 0 end
if since ~= '' then
  lease(session_id, until_ms)
  tier_on('aside', session_id, old[3], since)
  redis.call('HSET', row, 'aside', since)
  changed(session_id)
  return 1
end
due_off(session_id, old[3], old[4])
due_on(session_id, old[3], until_ms)
redis.call('HSET', row, 'due', until_ms)
return 1
