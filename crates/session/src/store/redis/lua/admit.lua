#!lua flags=allow-oom
-- Counts a call that takes no step of its own. KEYS: meta, nothing, head, calls. brought: guard.

local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[3], KEYS[4])
check_meta(values[1])
local turned_away = admit(cmsgpack.unpack(ARGV[2]), values[2], values[3], now)
if turned_away then return turned_away end
commit()
return reply(FRESH, now)
