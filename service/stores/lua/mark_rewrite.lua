-- Change what the mark of a wanted rewrite says, or end it, if no erasure wrote it anew since it was
-- read. KEYS: the mark.
if redis.call('GET', KEYS[1]) ~= ARGV[2] then return 0 end
if ARGV[3] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[3]) end
return 1
