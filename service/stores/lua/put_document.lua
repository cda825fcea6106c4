-- Write a document if nobody else did since it was read.
local kind, key, version, body, quiet = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local old = redis.call('HGET', P .. ':documents:' .. kind, key)
local had = old and tonumber(old:match('^%d+')) or 0
if had ~= tonumber(version) - 1 then return 0 end
redis.call('HSET', P .. ':documents:' .. kind, key, version .. ':' .. body)
redis.call('SADD', P .. ':kinds', kind)
if quiet ~= '1' then changed('') end
return 1
