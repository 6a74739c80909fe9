#!lua flags=allow-oom
-- Writes down how handing messages over ended: the copy of steps/record.rs and session/record.rs.
--
-- KEYS: meta, session, the memo (with a claim), account, log, due.
-- brought: step, outcomes (five to an outcome: message, channel, attempt, provider, its id there), claim or false, channels of a resend.

local SENT, NEXT_FALLBACK, NOTHING_SENT = 0, 1, 2

local brought = cmsgpack.unpack(ARGV[2])
local step, outcomes, claim, channels = unpack(brought)
local count = #KEYS
local account_key, log, due = KEYS[count - 2], KEYS[count - 1], KEYS[count]
local now = moment()
local values = redis.call('MGET', unpack(KEYS, 1, count - 3))
check_meta(values[1])
if claim then decode('memo', values[3]) end
local session = decode_session(values[2])
if not session then return {now, 1} end
local challenges = session[CHALLENGES]

local function challenge_of(message)
  for _, challenge in ipairs(challenges) do
    if challenge[MESSAGE] == message then return challenge end
  end
end

-- What the newest send came to.
local function delivery()
  local reached, refused = false, false
  for _, challenge in ipairs(challenges) do
    if challenge[SENT_IN] == session[GENERATION] then
      if challenge[ATTEMPT] < FAILED then reached = true end
      if challenge[ATTEMPT] == REFUSED then refused = true end
    end
  end
  local worthless = session[ALL] and refused
  if (reached and not worthless) or session[END] == VERIFIED or session[END] == CANCELED then return SENT end
  return #session[FALLBACK] == 0 and NOTHING_SENT or NEXT_FALLBACK
end

-- Whether the newest send is one more try on a channel whose earlier message may have arrived.
local function is_retry()
  for _, challenge in ipairs(challenges) do
    if challenge[SENT_IN] == session[GENERATION] and taken_in_vain(session, challenge[CHANNEL]) > 0 then return true end
  end
  return false
end

if recall(session, step) then return {now, 0, values[2], delivery()} end

-- Takes an outcome, and with it the fate of the codes: an accepted message retires the older ones, a failed one was never seen. The only code of a
-- session that is kept though nothing went out is kept with it.
local function settle(challenge, attempt, provider, provider_id)
  challenge[ATTEMPT], challenge[PROVIDER], challenge[PROVIDER_ID] = attempt, provider, provider_id
  if attempt == UNCLEAR then await_receipt(session, challenge, now) end
  if attempt == SENDING or attempt == UNCLEAR then return end
  local digests, kept = challenge[DIGESTS], {}
  local is_only = session[KEEP_FAILED]
  for at = 1, #digests, 5 do
    if digests[at + 2] ~= challenge[SENT_IN] then is_only = false end
  end
  for at = 1, #digests, 5 do
    local keep
    if attempt == ACCEPTED then keep = not digests[at + 4] else keep = is_only or digests[at + 2] ~= challenge[SENT_IN] end
    if keep then
      for place = at, at + 3 do kept[#kept + 1] = digests[place] end
      kept[#kept + 1] = false
    end
  end
  challenge[DIGESTS] = kept
  if attempt == ACCEPTED then
    -- A receipt may have been quicker.
    if challenge[STATUS] == 0 then challenge[STATUS] = 1 end
    challenge[SENT_AT] = now
  elseif challenge[STATUS] ~= ARRIVED then
    challenge[STATUS] = NOT_SENT
  end
  await_receipt(session, challenge, now)
end

-- Whether these outcomes close the session although something went out, since one of its channels is certainly out of reach and all are needed.
-- Its caller hears that all failed and is charged nothing.
local function is_lost()
  if not session[ALL] or session[KEEP_FAILED] or session[END] ~= 0 or session[BEFORE_EXPIRES] or is_retry() then return false end
  for at = 1, #outcomes, 5 do
    local challenge = outcomes[at + 2] == REFUSED and challenge_of(outcomes[at])
    if challenge and challenge[SENT_IN] == session[GENERATION] then return true end
  end
  return false
end

local due_before = due_at(session)
local held, captured = tally(session)
local lost = is_lost()
local events = {}
local owes, all_failed = false, true
for at = 1, #outcomes, 5 do
  local message, channel, attempt, provider, provider_id = unpack(outcomes, at, at + 4)
  local challenge = challenge_of(message)
  if challenge then owes = true end
  if attempt < FAILED then all_failed = false end
  if not challenge then
    record_replaced(session, message, attempt, provider)
    tell_outcome(events, message, channel, attempt, provider, provider_id)
  elseif challenge[ATTEMPT] == SENDING or challenge[ATTEMPT] == UNCLEAR then
    local was_sending = challenge[ATTEMPT] == SENDING
    settle(challenge, attempt, provider, provider_id)
    tell_outcome(events, message, channel, attempt, provider, provider_id)
    if was_sending and not lost and (attempt == ACCEPTED or attempt == UNCLEAR) then
      capture(session, message, challenge[COST], events)
    end
  end
end

local came_to
if #outcomes > 0 and not owes then
  came_to = all_failed and NOTHING_SENT or SENT
else
  came_to = delivery()
  if came_to == NOTHING_SENT then
    if session[BEFORE_EXPIRES] then
      session[EXPIRES] = session[BEFORE_EXPIRES]
      session[WRONG] = math.min(session[BEFORE_WRONG] + session[WRONG], 255)
      session[BEFORE_EXPIRES] = false
    elseif not is_retry() then
      local ever_reached = taken_in_vain(session) > 0
      for _, challenge in ipairs(challenges) do
        if challenge[ATTEMPT] < FAILED then ever_reached = true end
      end
      if (session[ALL] or not ever_reached) and not session[KEEP_FAILED] and session[END] == 0 then
        close(session, GONE, now)
        events[#events + 1] = {8}
      end
    end
  else
    for _, challenge in ipairs(challenges) do
      if challenge[SENT_IN] == session[GENERATION] and (challenge[ATTEMPT] == ACCEPTED or challenge[ATTEMPT] == UNCLEAR) then
        session[BEFORE_EXPIRES] = false
      end
    end
  end
end
release_fee(session, now)
remember(session, step, 0)
local account, account_was_there = funds(session, held, captured, account_key)
local packed, entry = finish(session, true, account_key, account, account_was_there, events, now)

-- What came sooner would be missed; what was put off is found out when it is due.
local others = {}
local due_now = due_at(session)
if due_now and (not due_before or due_now < due_before) then
  check('log', 'XLEN', log)
  others[1], others[2] = schedule(due, session), false
end
if entry then
  others[#others + 1] = append(log, entry)
  others[#others + 1] = false
end
if claim and (came_to == SENT or (came_to == NOTHING_SENT and session[KEEP_FAILED])) then
  put_memo(KEYS[3], values[3], claim, now, MEMO_SENT, snapshot(session), channels)
elseif claim and values[3] and came_to == NOTHING_SENT then
  others[#others + 1] = {'DEL', KEYS[3]}
  others[#others + 1] = false
end
commit(others)
return {now, 0, packed, came_to}
