-- Replace a wrapped key if it is still the one that was read. KEYS: wrapped key of one session.
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
return 1
