#!lua flags=allow-oom
-- Which message, or part of one, a provider means by a name of its own: the copy of MessageRow in rows.rs. A row holds: the reference with what
-- stands behind it, or false, until when it is named so, and two to each receipt that waits: itself, until when.
--
-- KEYS: meta, the row. brought: the reference that is named so, or false and a receipt that asks for it. Answers receipts, or the reference if it
-- is known.

local MESSAGE_NAMED, RECEIPT_PARKED, MOST_PARKED = 72 * 3600000, 600000, 8

local brought = cmsgpack.unpack(ARGV[2])
local reference, receipt = brought[1], brought[2]
local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
local row = decode('message', values[2]) or {LAYOUT, false, 0, {}}
local named, waiting = row[2], row[4]
if not reference and named and row[3] > now then return {named} end

local is_other = reference and named and named ~= reference
local parked, told = {}, {}
for at = 1, #waiting, 2 do
  if waiting[at + 1] > now and not is_other then
    parked[#parked + 1], told[#told + 1] = waiting[at], waiting[at]
    parked[#parked + 1] = waiting[at + 1]
  end
end
if reference then
  put(KEYS[2], cmsgpack.pack({LAYOUT, reference, now + MESSAGE_NAMED, parked}), MESSAGE_NAMED, values[2])
  commit()
  return told
end
for _, known in ipairs(told) do
  if known == receipt then return {} end
end
if #told == MOST_PARKED then
  table.remove(parked, 1)
  table.remove(parked, 1)
end
parked[#parked + 1] = receipt
parked[#parked + 1] = now + RECEIPT_PARKED
put(KEYS[2], cmsgpack.pack({LAYOUT, false, 0, parked}), RECEIPT_PARKED, values[2])
commit()
return {}
