-- Remember an answer that was given elsewhere; one that is known stays as it is.
local kept = P .. ':answer:' .. ARGV[2]
if redis.call('EXISTS', kept) == 1 then return 0 end
redis.call('HSET', kept, 'body_hash', ARGV[3], 'status', ARGV[4], 'body', ARGV[5],
  'until_ms', ARGV[6])
redis.call('PEXPIREAT', kept, ARGV[6])
-- One that has ended is gone at once, and nothing may list it.
if redis.call('EXISTS', kept) == 0 then return 0 end
redis.call('ZADD', P .. ':answers', ARGV[6], ARGV[2])
return 1
