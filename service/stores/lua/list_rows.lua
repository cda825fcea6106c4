-- The first rows of a stretch of an index, and how many of it match. Without filters it costs the
-- rows. A filter walks the index, so each call only goes some way and gives where the next one has
-- to go on: it may be long, and meanwhile Redis serves nobody else. Members alone are read: they end
-- in a zero byte and three letters, level, kind and status.
local index, low, high, most = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[5])
local skip, level, kind, status = tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8], ARGV[9]
local STEP = 1000
local total, page, behind = 0, {}, ''
if level == 0 and kind == '' and status == '' then
  total = redis.call('ZCARD', index)
  page = redis.call('ZRANGEBYLEX', index, low, high, 'LIMIT', 0, most)
else
  local some = redis.call('ZRANGEBYLEX', index, low, high, 'LIMIT', 0, STEP)
  for _, member in ipairs(some) do
    if tonumber(member:sub(-3, -3)) >= level and (kind == '' or member:sub(-2, -2) == kind)
      and (status == '' or member:sub(-1) == status) then
      total = total + 1
      if #page < most then page[#page + 1] = member end
    end
  end
  if #some == STEP then behind = '(' .. some[STEP] end
end
local rows = {}
for _, member in ipairs(page) do
  rows[#rows + 1] = redis.call('HMGET', row_key(member:sub(skip + 1, -5)), 'summary', 'due',
    'claim_holder', 'claim_number', 'claim_until')
end
return {total, rows, behind}
