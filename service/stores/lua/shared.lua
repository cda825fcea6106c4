-- Joined in front of every script. ARGV[1] is the prefix of all our keys.
-- Numbers that are stored travel as the strings they came as: Lua would round large ones.
local P = ARGV[1]

-- The lists that a row may stand in, by the fields that say where.
local LISTS = {'queue', 'alerts', 'newest'}
-- A row as scripts are given it: `Indexed`, in its order. `news` is what `changed` says of it.
local GIVEN = {'summary', 'team', 'queue', 'alerts', 'newest', 'due', 'urgency', 'assigned', 'news'}
-- What scripts ask of the row that is kept; all of it is missing where there is none.
local KEPT = {'team', 'queue', 'alerts', 'newest', 'due', 'aside', 'urgency', 'assigned',
  'claim_holder', 'claim_number'}

local function row_key(session_id) return P .. ':{' .. session_id .. '}:row' end

local function named(names, values)
  local row = {}
  for at, name in ipairs(names) do row[name] = values[at] end
  return row
end

local function kept_row(row) return named(KEPT, redis.call('HMGET', row, unpack(KEPT))) end

-- The row that stands in ARGV from there on.
local function given_row(first)
  return named(GIVEN, {unpack(ARGV, first, first + #GIVEN - 1)})
end

-- Times are kept one set a tier of urgency: `due` when to look, `aside` since when a turn waits.
local function tier_off(times, session_id, urgency, at)
  if not at or at == '' then return end
  local tier = P .. ':' .. times .. ':' .. urgency
  redis.call('ZREM', tier, session_id)
  if redis.call('EXISTS', tier) == 0 then redis.call('ZREM', P .. ':' .. times, urgency) end
end

local function tier_on(times, session_id, urgency, at)
  if not at or at == '' then return end
  redis.call('ZADD', P .. ':' .. times .. ':' .. urgency, at, session_id)
  redis.call('ZADD', P .. ':' .. times, urgency, urgency)
end

local function due_off(session_id, urgency, due) tier_off('due', session_id, urgency, due) end
local function due_on(session_id, urgency, due) tier_on('due', session_id, urgency, due) end

-- Lease a session until then: it waits for no slot any more.
local function lease(session_id, until_ms)
  local row = row_key(session_id)
  local old = redis.call('HMGET', row, 'urgency', 'due', 'aside')
  due_off(session_id, old[1], old[2])
  tier_off('aside', session_id, old[1], old[3])
  due_on(session_id, old[1], until_ms)
  redis.call('HSET', row, 'due', until_ms, 'aside', '')
  return redis.call('HINCRBY', row, 'lease', 1)
end

-- One ordered index for everybody and one for the team; a member says all that lists filter by.
local function list_off(list, team, member)
  if not member or member == '' then return end
  redis.call('ZREM', P .. ':' .. list, member)
  redis.call('ZREM', P .. ':' .. list .. ':' .. team, member)
end

local function list_on(list, team, member)
  if member == '' then return end
  redis.call('ZADD', P .. ':' .. list, 0, member)
  redis.call('ZADD', P .. ':' .. list .. ':' .. team, 0, member)
end

-- Whom a session is handed to that stands in the queue; nobody otherwise. Closed sessions stay
-- assigned for good, and nobody asks for those by person.
local function assignee(queue, assigned)
  return queue and queue ~= '' and assigned or ''
end

-- Whose session it is: handed over in the queue, or claimed. One set a person, small.
local function person_on(session_id, who)
  if who and who ~= '' then redis.call('SADD', P .. ':person:' .. who, session_id) end
end

local function person_off(session_id, who, still)
  if who and who ~= '' and who ~= still then
    redis.call('SREM', P .. ':person:' .. who, session_id)
  end
end

-- Say whose row changed, for those who wait for one session; `!` behind it says that the row asks for
-- a person at an alert. With nothing to say, everybody wakes. Never words.
local function changed(about) redis.call('PUBLISH', P .. ':changed', about) end

-- Write a row over the one there was, move its places with it, end leases and waits, and say so.
local function put_row(row, session_id, old, new)
  if old.team then
    for _, list in ipairs(LISTS) do list_off(list, old.team, old[list]) end
    due_off(session_id, old.urgency, old.due)
    tier_off('aside', session_id, old.urgency, old.aside)
    -- Whether it stood in the queue or not: an earlier build kept those that did not, too.
    if old.assigned ~= assignee(new.queue, new.assigned) then
      person_off(session_id, old.assigned, old.claim_holder)
    end
    redis.call('HINCRBY', row, 'lease', 1)
  end
  redis.call('HSET', row, 'summary', new.summary, 'team', new.team, 'queue', new.queue,
    'alerts', new.alerts, 'newest', new.newest, 'due', new.due, 'aside', '',
    'urgency', new.urgency, 'assigned', new.assigned)
  for _, list in ipairs(LISTS) do list_on(list, new.team, new[list]) end
  due_on(session_id, new.urgency, new.due)
  person_on(session_id, assignee(new.queue, new.assigned))
  changed(new.news)
end

-- Forget a document, and its kind with its last one.
local function drop_document(kind, key)
  redis.call('HDEL', P .. ':documents:' .. kind, key)
  if redis.call('EXISTS', P .. ':documents:' .. kind) == 0 then
    redis.call('SREM', P .. ':kinds', kind)
  end
end
