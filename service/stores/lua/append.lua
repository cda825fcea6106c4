-- Append if nothing is in the way; the log, the row, its indexes, key and answer in one step.
-- KEYS: log, row, wrapped key of one session, then where an answer to this request may stand, the
-- place of a new one first. Nothing is written before the last refusal.
local log, row, key = KEYS[1], KEYS[2], KEYS[3]
local session_id, expected = ARGV[2], ARGV[3]
local fenced, holder, number = ARGV[4], ARGV[5], ARGV[6]
local wrapped, destroy = ARGV[7], ARGV[8]
local answer, body_hash, status, body, until_ms =
  ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13]
local new = given_row(14)

for at = 4, #KEYS do
  local given = redis.call('HMGET', KEYS[at], 'body_hash', 'status', 'body', 'until_ms')
  if given[1] then return {'answered', at - 4, given[1], given[2], given[3], given[4]} end
end
local old = kept_row(row)
if fenced == '1' and (old.claim_holder ~= holder or old.claim_number ~= number) then
  return {'claim_lost'}
end
if redis.call('XLEN', log) ~= tonumber(expected) then return {'conflict'} end

for at = 14 + #GIVEN, #ARGV, 8 do
  redis.call('XADD', log, ARGV[at] .. '-0', 'type', ARGV[at + 1], 'at_ms', ARGV[at + 2],
    'actor', ARGV[at + 3], 'prev_hash', ARGV[at + 4], 'hash', ARGV[at + 5],
    'schema_version', ARGV[at + 6], 'sealed', ARGV[at + 7])
end
if answer ~= '' then
  local kept = KEYS[4]
  redis.call('HSET', kept, 'body_hash', body_hash, 'status', status, 'body', body,
    'until_ms', until_ms)
  redis.call('PEXPIREAT', kept, until_ms)
  redis.call('ZADD', P .. ':answers', until_ms, answer)
end
if wrapped ~= '' then redis.call('SET', key, wrapped) end
if destroy == '1' then
  redis.call('DEL', key)
  -- The key's bytes are still in the append-only file until somebody has it rewritten. A session is
  -- erased once: nobody who read an earlier mark takes this one for it.
  redis.call('SET', P .. ':rewrite', session_id)
  -- Who looks at it and what somebody has typed: `SIDE_KINDS`, and how their keys begin.
  drop_document('viewer', session_id)
  for _, name in ipairs(redis.call('HKEYS', P .. ':documents:unsent')) do
    if name:sub(1, #session_id + 1) == session_id .. ':' then drop_document('unsent', name) end
  end
end
put_row(row, session_id, old, new)
return {'written'}
