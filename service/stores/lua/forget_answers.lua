-- Drop some answers whose time is over; Redis may have dropped their bodies already.
local over = redis.call('ZRANGEBYSCORE', P .. ':answers', '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])
for _, key in ipairs(over) do
  redis.call('DEL', P .. ':answer:' .. key)
  redis.call('ZREM', P .. ':answers', key)
end
return #over
