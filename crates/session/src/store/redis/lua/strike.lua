#!lua flags=allow-oom
-- Counts against a subject's window: the copy of steps/strike.rs. KEYS: meta, subject. brought: most, window, how many (0: only look).
-- Answers: 0 and how many more fit, or 1 and how long until there is room.

local brought = cmsgpack.unpack(ARGV[2])
local limit, count = limit_of(brought[1], brought[2]), brought[3]
local now = moment()
local values = redis.call('MGET', unpack(KEYS))
check_meta(values[1])
local subject = decode('subject', values[2]) or new_subject()
local records, sum = living_records(subject[SENDS], subject[SENDS_SUM], limit, now)
local wait = window_wait(records, sum, limit, math.max(count, 1), now)
if wait then return {1, wait} end
if count > 0 then
  records, sum = window_add(records, sum, limit, count, now)
  subject[SENDS], subject[SENDS_SUM] = records, sum
  put(KEYS[2], cmsgpack.pack(subject), subject_life(subject, now), values[2])
  commit()
end
return {0, math.max(limit.max - sum, 0)}
