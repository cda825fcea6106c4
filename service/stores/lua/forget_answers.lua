-- Drop answers whose time is over; Redis may have dropped their bodies already.
local over = redis.call('ZRANGEBYSCORE', P .. ':answers', '-inf', ARGV[2])
for _, key in ipairs(over) do redis.call('DEL', P .. ':answer:' .. key) end
redis.call('ZREMRANGEBYSCORE', P .. ':answers', '-inf', ARGV[2])
return #over
