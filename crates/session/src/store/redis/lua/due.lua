#!lua flags=no-writes
-- Sessions that may have something to do by now. KEYS: meta, due. brought: how many at most. Answers two to a session: its name, since when.

local brought = cmsgpack.unpack(ARGV[2])
local now = moment()
check_meta(redis.call('GET', KEYS[1]))
return redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES', 'LIMIT', 0, brought[1])
