#!lua flags=allow-oom
-- Tells of a tenant's new revision, or of a revoked key: the copy of steps/head.rs.
--
-- KEYS: meta, head. brought: revision or false, key or false.

local REVOKED_KEPT = 24 * 30 * 3600000

local brought = cmsgpack.unpack(ARGV[2])
local revision, key = brought[1], brought[2]
local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
local head = decode('head', values[2]) or {LAYOUT, 0, {}}
if revision then
  if head[2] >= revision then return now end
  head[2] = revision
end
if key then
  local kept = {}
  for at = 1, #head[3], 2 do
    if head[3][at] ~= key and head[3][at + 1] > now then
      kept[#kept + 1] = head[3][at]
      kept[#kept + 1] = head[3][at + 1]
    end
  end
  kept[#kept + 1] = key
  kept[#kept + 1] = now + REVOKED_KEPT
  head[3] = kept
end
put(KEYS[2], cmsgpack.pack(head), 0, values[2])
commit()
return now
