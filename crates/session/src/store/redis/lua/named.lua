#!lua flags=no-writes
-- The sessions for which any of some names stands. KEYS: meta, names. brought: scope, how many at most.
-- A name holds three to a session: id, kind of key, until when. Answers: the moment, then each session that is there, packed.

local brought = cmsgpack.unpack(ARGV[2])
local scope, most = unpack(brought)
local now = moment()
local values = redis.call('MGET', unpack(KEYS))
check_meta(values[1])
local kind = string.byte(scope, 17)
local sessions = {}
for at = 2, #KEYS do
  local row = decode('name', values[at])
  -- The newest stand at the end.
  for place = row and #row - 2 or 0, 2, -3 do
    if row[place + 1] == kind and row[place + 2] > now and #sessions < most then
      sessions[#sessions + 1] = TAG .. 's' .. scope .. row[place]
    end
  end
end
local answer = {now}
if #sessions == 0 then return answer end
for _, packed in ipairs(redis.call('MGET', unpack(sessions))) do
  if packed then answer[#answer + 1] = packed end
end
return answer
