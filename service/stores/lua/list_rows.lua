-- A page of rows in an index's order and how many match in all. Without filters it costs the page;
-- a filter walks the index, reading members only: they end in a zero byte and three letters,
-- level, kind and status.
local index, after, limit = ARGV[2], ARGV[3], tonumber(ARGV[4])
local level, kind, status = tonumber(ARGV[5]), ARGV[6], ARGV[7]
local CHUNK = 4000
local before = 0
if after ~= '' then before = redis.call('ZLEXCOUNT', index, '-', '(' .. after) end
local total, page = 0, {}
if level == 0 and kind == '' and status == '' then
  total = redis.call('ZCARD', index)
  page = redis.call('ZRANGE', index, before, before + limit)
else
  for from = 0, redis.call('ZCARD', index), CHUNK do
    for at, member in ipairs(redis.call('ZRANGE', index, from, from + CHUNK - 1)) do
      if tonumber(member:sub(-3, -3)) >= level and (kind == '' or member:sub(-2, -2) == kind)
        and (status == '' or member:sub(-1) == status) then
        total = total + 1
        if from + at > before and #page <= limit then page[#page + 1] = member end
      end
    end
  end
end
local skip = tonumber(ARGV[8])
local rows = {}
for _, member in ipairs(page) do
  rows[#rows + 1] = redis.call('HMGET', row_key(member:sub(skip + 1, -5)), 'summary', 'due',
    'claim_holder', 'claim_number', 'claim_until')
end
return {total, rows}
