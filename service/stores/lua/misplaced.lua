-- Name the lists in which a session does not stand where its row wants it. KEYS: log, row of one
-- session. The row must fit the log.
local log, row = KEYS[1], KEYS[2]
local session_id, seq = ARGV[2], ARGV[3]
if redis.call('XLEN', log) ~= tonumber(seq) then return {'conflict'} end
local old, new = kept_row(row), given_row(4)
local wrong = {}

local function expect(what, holds)
  if not holds then wrong[#wrong + 1] = what end
end

local function listed(list)
  local place = new[list]
  if old.team ~= new.team or (old[list] or '') ~= place then return false end
  return place == '' or (redis.call('ZSCORE', P .. ':' .. list, place)
    and redis.call('ZSCORE', P .. ':' .. list .. ':' .. new.team, place))
end

local function timed(times)
  local at = old[times] or ''
  if at == '' then return true end
  local set = P .. ':' .. times
  return redis.call('ZSCORE', set, new.urgency)
    and tonumber(redis.call('ZSCORE', set .. ':' .. new.urgency, session_id) or -1) == tonumber(at)
end

for _, list in ipairs(LISTS) do expect(list, listed(list)) end
expect('due', old.urgency == new.urgency and ((old.due or '') ~= '') == (new.due ~= '')
  and timed('due'))
expect('aside', timed('aside'))
local who = assignee(new.queue, new.assigned)
expect('person', (old.assigned or '') == new.assigned and (who == ''
  or redis.call('SISMEMBER', P .. ':person:' .. who, session_id) == 1))
return wrong
