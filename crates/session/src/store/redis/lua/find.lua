#!lua flags=no-writes
-- Whose a session is, for receipts, which know no tenant. KEYS: meta, due, among whose members are the scopes of the partition. brought: its id.
-- Answers the scope, if it is there.

local brought = cmsgpack.unpack(ARGV[2])
check_meta(redis.call('GET', KEYS[1]))
for _, scope in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], 'inf', 'inf')) do
  if redis.call('EXISTS', TAG .. 's' .. scope .. brought[1]) == 1 then return scope end
end
