-- Forget a document, and its kind with its last one.
local kind, key = ARGV[2], ARGV[3]
redis.call('HDEL', P .. ':documents:' .. kind, key)
if redis.call('EXISTS', P .. ':documents:' .. kind) == 0 then
  redis.call('SREM', P .. ':kinds', kind)
end
