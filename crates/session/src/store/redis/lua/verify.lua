#!lua flags=allow-oom
-- Judges guesses: the copy of steps/verify.rs and session/verify.rs.
--
-- KEYS: meta, session, head, calls (head once more without a guard), the memo (with a claim), subjects that are probably asked for, account, log.
-- brought: step, guard or false, rule of wrong guesses, claim or false, generations, kids, whether channels are named, guesses, whether the
-- budgets of the recipients have paid for them already. Three to a guess:
-- channel (0: none), a number that is the same for equal guesses, and its macs, 32 bytes for each kid, generation and channel in that order.

local brought = cmsgpack.unpack(ARGV[2])
local step, guard, rule, claim, generations, kids, named, guesses, spare_budget = unpack(brought)
local count = #KEYS
local account_key, log = KEYS[count - 1], KEYS[count]
local now = moment()
local values = redis.call('MGET', unpack(KEYS, 1, count - 2))
check_meta(values[1])
local session = decode_session(values[2])
if session and not is_asked(session, now) then session = nil end
if session then
  local done = recall(session, step)
  if type(done) == 'table' then return reply(FRESH, now, 0, values[2], cmsgpack.pack(done)) end
end
if guard then
  local turned_away = admit(guard, values[3], values[4], now)
  if turned_away then return turned_away end
end

-- Only the call was counted, if one was.
local function answer(...)
  commit()
  return reply(...)
end
local function refuse(verdict, ...)
  return answer(FRESH, now, verdict, values[2], ...)
end

if not session then return answer(FRESH, now, 9) end
local first, memo = 5, nil
if claim then
  memo, first = first, first + 1
  local state, kind, held, more = claimed(claim, values[memo], now)
  if state == REPLAYED and kind == MEMO_JUDGED then return answer(REPLAYED, now, 0, held, more) end
  if state then return answer(state == RUNNING and RUNNING or MISMATCH, now) end
end
local stands = status(session, now)
if stands == VERIFIED then return refuse(1) end
if stands == CANCELED or stands == GONE then return refuse(2) end
if stands == EXPIRED then return refuse(3) end
if stands == LOCKED then return refuse(4) end

local challenges = session[CHALLENGES]
local open, place_of = {}, {}
for place, challenge in ipairs(challenges) do
  place_of[challenge[CHANNEL]] = place_of[challenge[CHANNEL]] or place
  if not challenge[VERIFIED_AT] then open[#open + 1] = place end
end

-- Which challenges each guess is held against, by their place.
local comparisons = {}
if not named then
  if session[ALL] and #open ~= 1 then return refuse(7) end
  comparisons[1] = {asked = 0, guess = guesses[2], macs = guesses[3], against = open}
else
  local proved_before = false
  for at = 1, #guesses, 3 do
    local place = place_of[guesses[at]]
    if place and challenges[place][VERIFIED_AT] then
      proved_before = true
    elseif place then
      local against = {place}
      if not session[ALL] then
        for _, other in ipairs(open) do
          if other ~= place then against[#against + 1] = other end
        end
      end
      comparisons[#comparisons + 1] = {asked = guesses[at], guess = guesses[at + 1], macs = guesses[at + 2], against = against}
    end
  end
  if #comparisons == 0 then return refuse(proved_before and 6 or 5) end
end

-- Byte by byte: Lua would compare by the locale of the server.
local function is_before(one, other)
  for at = 1, 16 do
    local a, b = string.byte(one, at), string.byte(other, at)
    if a ~= b then return a < b end
  end
  return false
end

-- How many different guesses each compared recipient faces, in the order of their keys; none where its budget is spared.
local function distinct_guesses(only_wrong)
  local budgets, seen = {}, {}
  for _, comparison in ipairs(comparisons) do
    if not only_wrong or not comparison.found then
      for _, place in ipairs(comparison.against) do
        local key = challenges[place][BUDGET]
        local budget = seen[key]
        if not budget then
          budget = {key = key, channel = challenges[place][CHANNEL], count = 0, guesses = {}}
          seen[key] = budget
          budgets[#budgets + 1] = budget
        end
        if not budget.guesses[comparison.guess] then
          budget.guesses[comparison.guess] = true
          budget.count = budget.count + (spare_budget and 0 or 1)
        end
      end
    end
  end
  if #budgets > 1 then table.sort(budgets, function(one, other) return is_before(one.key, other.key) end) end
  return budgets
end

take_subjects(values, first, count - 2)
local asked = {}
for _, place in ipairs(open) do asked[#asked + 1] = challenges[place][BUDGET] end
read_subjects(asked)
for _, budget in ipairs(distinct_guesses(false)) do
  local subject = subject_of(budget.key)
  local wait = subject and guess_wait(subject, rule, budget.count, now)
  if wait then return refuse(8, budget.channel, wait) end
end

-- Where the macs of a kid and of a generation begin.
local kid_at, generation_at = {}, {}
for at, kid in ipairs(kids) do kid_at[kid] = (at - 1) * #generations * 128 end
for at, generation in ipairs(generations) do generation_at[generation] = (at - 1) * 128 end
local oldest = 0
if session[BEFORE_EXPIRES] and math.min(session[BEFORE_WRONG] + session[WRONG], 255) >= session[MAX] then oldest = session[GENERATION] end
local needed, is_needed = {}, {}

-- How many messages ago each code was sent that the macs open, as in session/carried.rs, one byte to a code; empty: they open none.
-- Lua keeps one copy of equal strings and compares where they lie: the time it takes tells nothing about the bytes.
local function opens(challenge, macs)
  local digests, ages = challenge[DIGESTS], ''
  local newest = digests[#digests - 2] == challenge[SENT_IN] and 0 or 1
  for at = 1, #digests, 5 do
    local kid, generation = kid_at[digests[at]], digests[at + 2]
    if kid and digests[at + 3] > now and generation >= oldest then
      local place = generation_at[generation]
      if place then
        local from = kid + place + (challenge[CHANNEL] - 1) * 32 + 1
        if string.sub(macs, from, from + 31) == digests[at + 1] then
          ages = ages .. string.char(math.min((#digests - at - 4) / 5 + newest, 255))
        end
      elseif not is_needed[generation] then
        is_needed[generation] = true
        needed[#needed + 1] = generation
      end
    end
  end
  return ages
end

-- Channel and age of each code that a right guess was.
local opened = ''
local any_wrong = false
for _, comparison in ipairs(comparisons) do
  for _, place in ipairs(comparison.against) do
    local ages = opens(challenges[place], comparison.macs)
    if ages ~= '' then
      comparison.found = place
      for at = 1, #ages do opened = opened .. string.char(challenges[place][CHANNEL]) .. string.sub(ages, at, at) end
      break
    end
  end
  if not comparison.found then any_wrong = true end
end
if #needed > 0 then return {NEED, now, -1, 0, needed} end

-- Results: channel and result (0 right, 1 wrong, 2 not in the session, 3 proved before), two bytes each.
local results = ''
local function tell(channel, result) results = results .. string.char(channel, result) end
if not named then
  local found = comparisons[1].found
  if found then
    tell(challenges[found][CHANNEL], 0)
  else
    for _, place in ipairs(open) do tell(challenges[place][CHANNEL], 1) end
  end
else
  local compared = {}
  for _, comparison in ipairs(comparisons) do compared[comparison.asked] = comparison end
  for at = 1, #guesses, 3 do
    local channel = guesses[at]
    if compared[channel] then
      tell(channel, compared[channel].found and 0 or 1)
    else
      tell(channel, place_of[channel] and 3 or 2)
    end
  end
end

local held, captured = tally(session)
local events, changed = {}, {}
local newly = {}
for _, comparison in ipairs(comparisons) do
  if comparison.found then newly[comparison.found] = true end
end
local is_first, proved_any = #open == #challenges, false
for place, challenge in ipairs(challenges) do
  if newly[place] then
    challenge[VERIFIED_AT], challenge[DIGESTS] = now, {}
    local subject = subject_of(challenge[BUDGET])
    if subject and (subject[IN_A_ROW] > 0 or subject[BLOCKS] > 0) then
      subject[IN_A_ROW], subject[BLOCKS] = 0, 0
      changed[challenge[BUDGET]] = subject
    end
    events[#events + 1] = {9, challenge[CHANNEL]}
    if session[ADD_CONTACT] and is_first and not proved_any then events[#events + 1] = {15, challenge[CHANNEL]} end
    proved_any = true
  end
end
if any_wrong then
  session[WRONG] = math.min(session[WRONG] + 1, 255)
  events[#events + 1] = {10, attempts_remaining(session)}
  for _, budget in ipairs(spare_budget and {} or distinct_guesses(true)) do
    local subject = subject_of(budget.key)
    if not subject then
      subject = new_subject()
      known_subjects[budget.key] = subject
    end
    local blocked_until = guessed_wrong(subject, rule, budget.count, now)
    if blocked_until then events[#events + 1] = {14, budget.channel, blocked_until} end
    changed[budget.key] = subject
  end
end
local verified_channels, pending_channels = channels_of(session, true), channels_of(session, false)
local complete = verified_channels ~= '' and (not session[ALL] or pending_channels == '')
if complete then
  close(session, VERIFIED, now)
  release_fee(session, now)
  events[#events + 1] = {4, verified_channels}
end
if any_wrong and not complete and attempts_remaining(session) == 0 then events[#events + 1] = {6} end

local judgement = {
  results, complete or not any_wrong, complete, attempts_remaining(session), verified_channels, pending_channels, complete and now,
}
remember(session, step, judgement)
for key, subject in pairs(changed) do put_subject(key, subject, now) end
local account, account_was_there = funds(session, held, captured, account_key)
local packed, entry = finish(session, AS_BEFORE, account_key, account, account_was_there, events, now)
judgement = cmsgpack.pack(judgement)
if memo then put_memo(KEYS[memo], values[memo], claim, now, MEMO_JUDGED, snapshot(session), judgement) end
commit({append(log, entry), false})
return reply(FRESH, now, 0, packed, judgement, opened)
