#!lua flags=allow-oom
-- Drops entries from the beginning of the log, as long as they are old and read. KEYS: meta, log.
-- brought: the last that may go, the moment before which entries are old, how many to look at. Answers whether there may be more to drop.

local brought = cmsgpack.unpack(ARGV[2])
local last, before, most = unpack(brought)
check_meta(redis.call('GET', KEYS[1]))
local entries = redis.call('XRANGE', KEYS[2], '-', last, 'COUNT', most)
local goes = nil
local count = 0
for _, entry in ipairs(entries) do
  local value = decode('log entry', entry[2][2])
  if value[4] >= before then break end
  goes, count = entry[1], count + 1
end
if not goes then return 0 end
-- MINID keeps what it names: the one after the last that goes.
local millis, number = string.match(goes, '^(%d+)%-(%d+)$')
redis.call('XTRIM', KEYS[2], 'MINID', millis .. '-' .. string.format('%.0f', number + 1))
return count == most and 1 or 0
