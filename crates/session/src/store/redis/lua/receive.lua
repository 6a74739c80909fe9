#!lua flags=allow-oom
-- Takes a delivery receipt in: the copy of steps/receive.rs and session/receive.rs.
--
-- KEYS: meta, session, log, due. brought: message, through whom, report (0 under way, 1 delivered, UNDELIVERED + the reason), when or false,
-- carrier or false. Answers: the moment, 0 and the session, 1 for what says nothing new, or 2 for what is about no message here.

local UNDELIVERED = 2
local CHANGED, UNCHANGED, UNKNOWN = 0, 1, 2

local brought = cmsgpack.unpack(ARGV[2])
local message, through, report, at, carrier = unpack(brought)
local log, due = KEYS[3], KEYS[4]
local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
local session = decode_session(values[2])
if not session or is_forgotten(session, now) then return {now, UNKNOWN} end

-- The status after the report: it only moves forward.
local function after(stands)
  if report == 0 or stands == ARRIVED then return stands end
  return report == 1 and ARRIVED or NOT_SENT
end

local due_before = due_at(session)
local channel
for _, challenge in ipairs(session[CHALLENGES]) do
  if challenge[MESSAGE] == message then
    local attempt, provider = challenge[ATTEMPT], challenge[PROVIDER]
    if attempt >= FAILED or (provider and provider ~= through) then return {now, UNKNOWN} end
    local stands = after(challenge[STATUS])
    if stands == challenge[STATUS] then return {now, UNCHANGED} end
    challenge[STATUS], channel = stands, challenge[CHANNEL]
    if stands == ARRIVED then
      challenge[DELIVERED_AT] = at and math.min(at, now) or now
      set_receipt(challenge, false, false, carrier)
    else
      -- While it is being handed over nobody may hand over another.
      set_receipt(challenge, report - UNDELIVERED, attempt ~= SENDING and follows(session) and now, false)
    end
  end
end
if not channel then
  local replaced = replaced_of(session)
  local place = place_of_replaced(replaced, message)
  local provider = place and replaced[place + 3]
  if not place or (provider and provider ~= through) then return {now, UNKNOWN} end
  local stands = after(replaced[place + 2])
  if stands == replaced[place + 2] then return {now, UNCHANGED} end
  replaced[place + 2], channel = stands, replaced[place + 1]
  -- The code of a message in whose place another was tried is as good as the newest.
  if stands == ARRIVED and replaced[place + 4] then
    for _, challenge in ipairs(session[CHALLENGES]) do
      if challenge[CHANNEL] == channel then give_up(challenge) end
    end
  end
end

local event = report == 1 and {20, message, channel, at, carrier} or {21, message, channel, report - UNDELIVERED}
local others = {}
local due_now = due_at(session)
if due_now and (not due_before or due_now < due_before) then
  check('log', 'XLEN', log)
  others[1], others[2] = schedule(due, session), false
end
local packed, entry = finish(session, AS_BEFORE, nil, nil, nil, {event}, now)
others[#others + 1] = append(log, entry)
others[#others + 1] = false
commit(others)
return {now, CHANGED, packed}
