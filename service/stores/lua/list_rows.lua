-- The first rows of a stretch of an index, and how many of it match. Without filters it costs the
-- rows. A filter walks the index, so each call only goes some way and gives where the next one has
-- to go on: it may be long, and meanwhile Redis serves nobody else. Members alone are read: they end
-- in a zero byte and three letters, level, kind and status. A language is looked up in the row.
local index, low, high, most = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local list, skip = ARGV[6], tonumber(ARGV[7])
local level, kind, status = tonumber(ARGV[8]), ARGV[9], ARGV[10]
local language = ARGV[11]
local plain = level == 0 and kind == '' and status == '' and language == ''
local STEP = 1000

local function fits(member)
  return (tonumber(member:sub(-3, -3)) or -1) >= level
    and (kind == '' or member:sub(-2, -2) == kind) and (status == '' or member:sub(-1) == status)
end

-- The row of a member; one that its session's row does not name stands here by mistake, and goes.
local function take(member)
  local found = redis.call('HMGET', row_key(member:sub(skip + 1, -5)), 'summary', 'due',
    'claim_holder', 'claim_number', 'claim_until', list, 'team')
  local team = table.remove(found)
  local place = table.remove(found)
  local all = P .. ':' .. list
  local ours = index == all or index == all .. ':' .. tostring(team)
  if ours and place == member then return found end
  redis.call('ZREM', index, member)
  return false
end

local function speaks(row)
  return language == '' or cjson.decode(row[1]).language == language
end

local rows, total, behind = {}, 0, ''
local step = plain and most or STEP
local some = redis.call('ZRANGEBYLEX', index, low, high, 'LIMIT', 0, step)
for _, member in ipairs(some) do
  if plain or fits(member) then
    local full = #rows == most
    local row = full and language == '' or take(member)
    if row and row ~= true and not speaks(row) then row = false end
    if row then total = total + 1 end
    if row and not full then rows[#rows + 1] = row end
  end
end
-- A page that a mistake made shorter is no last page: it goes on too.
if #some == step and not (plain and #rows == most) then behind = '(' .. some[#some] end
if plain then total = behind == '' and redis.call('ZCARD', index) or 0 end
return {total, rows, behind}
