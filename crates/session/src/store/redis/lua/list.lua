#!lua flags=no-writes
-- A stretch of a scope's sessions, newest first. KEYS: meta, index.
-- brought: scope, the newest and the oldest bound, how many at most, bytes at which to stop. Answers: the moment, whether the index ended,
-- and two to a session: id, packed. One that is gone is left out, but its id is told.

local brought = cmsgpack.unpack(ARGV[2])
local scope, newest, oldest, most, bytes = unpack(brought)
local now = moment()
check_meta(redis.call('GET', KEYS[1]))
local ids = redis.call('ZREVRANGEBYLEX', KEYS[2], newest, oldest, 'LIMIT', 0, most)
local answer = {now, #ids < most and 1 or 0}
if #ids == 0 then return answer end
local names = {}
for at, id in ipairs(ids) do names[at] = TAG .. 's' .. scope .. id end
local values = redis.call('MGET', unpack(names))
local size = 0
for at, id in ipairs(ids) do
  answer[#answer + 1] = id
  answer[#answer + 1] = values[at] or ''
  size = size + 40 + #(values[at] or '')
  if size >= bytes and at < #ids then
    answer[2] = 0
    break
  end
end
return answer
