#!lua flags=allow-oom
-- Forgets the wrong guesses at a recipient: the copy of steps/strike.rs. KEYS: meta, subject. brought: the rule of wrong guesses.
-- Answers: whether they kept one more from being heard.

local rule = cmsgpack.unpack(ARGV[2])
local now = moment()
local values = redis.call('MGET', unpack(KEYS))
check_meta(values[1])
local subject = decode('subject', values[2])
if not subject then return 0 end
local wait = guess_wait(subject, rule, 1, now)
if #subject[WRONGS] > 0 or subject[IN_A_ROW] > 0 or subject[BLOCKED_UNTIL] > 0 or subject[BLOCKS] > 0 then
  subject[WRONGS], subject[WRONGS_SUM] = '', 0
  subject[IN_A_ROW], subject[BLOCKED_UNTIL], subject[BLOCKS] = 0, 0, 0
  put(KEYS[2], cmsgpack.pack(subject), subject_life(subject, now), values[2])
  commit()
end
return wait and 1 or 0
