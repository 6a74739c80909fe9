#!lua flags=no-writes
-- Looks at one value. KEYS: meta, the value. Answers the moment, and the value if it is there.

local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
return {now, values[2]}
