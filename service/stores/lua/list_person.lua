-- Every row assigned to or claimed by one person; the caller filters and orders these few.
local rows = {}
for _, session_id in ipairs(redis.call('SMEMBERS', P .. ':person:' .. ARGV[2])) do
  rows[#rows + 1] = redis.call('HMGET', row_key(session_id), 'summary', 'due',
    'claim_holder', 'claim_number', 'claim_until')
end
return rows
