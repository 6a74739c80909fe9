-- Counts: the copy of window.rs and subject.rs.
--
-- A window is a string of records, oldest first: start (6 bytes), count (4 bytes). Beside it stands the sum of its counts, so that a full
-- window of 60 buckets is looked at from its ends only: what no longer counts is always at its beginning.

local RECORD, RECORD_SIZE = '>I6I4', 10
local EXACT_UP_TO, BUCKETS = 64, 60
local FIRST_BLOCK, LONGEST_BLOCK = 24 * 3600000, 24 * 30 * 3600000
local LONGEST_WINDOW, ROW_KEPT = 25 * 3600000, 24 * 400 * 3600000
-- The places of a subject. ACTIVE holds three to a session: id, kind of key, until when.
local SENDS, SENDS_SUM, ACTIVE, WRONGS, WRONGS_SUM, IN_A_ROW, BLOCKED_UNTIL, BLOCKS = 2, 3, 4, 5, 6, 7, 8, 9

-- `stays`: how long a record counts, from its start.
local function limit_of(max, window)
  local width = max <= EXACT_UP_TO and 0 or math.floor(window / BUCKETS)
  return {max = max, window = window, width = width, stays = width + window}
end

-- The records that still count, and their sum.
local function living_records(records, sum, limit, now)
  local at, size = 1, #records
  while at <= size do
    local start, count = struct.unpack(RECORD, records, at)
    if start + limit.stays > now then break end
    sum = sum - count
    at = at + RECORD_SIZE
  end
  if at > 1 then records = string.sub(records, at) end
  return records, sum
end

-- nil when `more` fit beside living records; otherwise how long until they do.
local function window_wait(records, sum, limit, more, now)
  if sum + more <= limit.max then return nil end
  for at = 1, #records, RECORD_SIZE do
    local start, count = struct.unpack(RECORD, records, at)
    sum = sum - count
    if sum + more <= limit.max then return start + limit.stays - now end
  end
  return limit.window
end

-- Living records with `more` at `now`.
local function window_add(records, sum, limit, more, now)
  local start = limit.width == 0 and now or now - now % limit.width
  local size = #records
  if size > 0 then
    local last, count = struct.unpack(RECORD, records, size - RECORD_SIZE + 1)
    if last >= start then
      return string.sub(records, 1, size - RECORD_SIZE) .. struct.pack(RECORD, last, count + more), sum + more
    end
  end
  return records .. struct.pack(RECORD, start, more), sum + more
end

local function new_subject()
  return {LAYOUT, '', 0, {}, '', 0, 0, 0, 0}
end

-- nil when `more` wrong guesses may still be heard; otherwise how long until they may. rule: most in the window, the window, how many in a
-- row block.
local function guess_wait(subject, rule, more, now)
  local limit = limit_of(rule[1], rule[2])
  local records, sum = living_records(subject[WRONGS], subject[WRONGS_SUM], limit, now)
  local wait = window_wait(records, sum, limit, more, now)
  local block = subject[BLOCKED_UNTIL] - now
  if block > 0 and (not wait or block > wait) then return block end
  return wait
end

-- Counts wrong guesses. Tells until when that blocks the recipient, if it does.
local function guessed_wrong(subject, rule, more, now)
  local limit = limit_of(rule[1], rule[2])
  local records, sum = living_records(subject[WRONGS], subject[WRONGS_SUM], limit, now)
  subject[WRONGS], subject[WRONGS_SUM] = window_add(records, sum, limit, more, now)
  subject[IN_A_ROW] = math.min(subject[IN_A_ROW] + more, 4294967295)
  if subject[IN_A_ROW] < rule[3] then return nil end
  local span = math.min(FIRST_BLOCK * 2 ^ math.min(subject[BLOCKS], 8), LONGEST_BLOCK)
  subject[BLOCKS] = math.min(subject[BLOCKS] + 1, 255)
  subject[BLOCKED_UNTIL] = now + span
  return now + span
end

-- How long it must be remembered.
local function subject_life(subject, now)
  local life = LONGEST_WINDOW
  if subject[IN_A_ROW] > 0 then life = ROW_KEPT end
  for at = 3, #subject[ACTIVE], 3 do life = math.max(life, subject[ACTIVE][at] - now) end
  return math.max(life, subject[BLOCKED_UNTIL] - now)
end

-- Subjects that this step knows by their 16 bytes: packed (false: absent) as read, and decoded once asked for.
local packed_subjects, known_subjects = {}, {}

-- nil where nothing was counted yet.
local function subject_of(key)
  local subject = known_subjects[key]
  if subject == nil then
    subject = decode('subject', packed_subjects[key])
    known_subjects[key] = subject
  end
  return subject
end

-- Reads those of `keys` that were not read with the rest.
local function read_subjects(keys)
  local names, missing = {}, {}
  for _, key in ipairs(keys) do
    if packed_subjects[key] == nil then
      packed_subjects[key] = false
      names[#names + 1], missing[#missing + 1] = TAG .. 'u' .. key, key
    end
  end
  if #names == 0 then return end
  local values = redis.call('MGET', unpack(names))
  for at, key in ipairs(missing) do packed_subjects[key] = values[at] end
end

-- Takes what was read of KEYS from the place `first` to the place `last`.
local function take_subjects(values, first, last)
  for at = first, last do packed_subjects[string.sub(KEYS[at], #TAG + 2)] = values[at] end
end

local function put_subject(key, subject, now)
  put(TAG .. 'u' .. key, cmsgpack.pack(subject), subject_life(subject, now), packed_subjects[key])
end
