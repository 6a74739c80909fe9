#!lua
-- New codes and a new expiry: the copy of steps/send_again.rs and session/send_again.rs.
--
-- KEYS: meta, session, head, calls, the memo (with a claim), account, log, due. Whose counts it touches, the session says.
-- brought: step, guard, rule of wrong guesses, limits, claim or false, codes, messages, instant, lease, channels or false, most entries in the log.

local brought = cmsgpack.unpack(ARGV[2])
local step, guard, rule, limits, claim, codes, messages, instant, lease, named = unpack(brought)
local count = #KEYS
local account_key, log, due = KEYS[count - 2], KEYS[count - 1], KEYS[count]
local now = moment()
local values = redis.call('MGET', unpack(KEYS, 1, count - 3))
check_meta(values[1])
local session = decode_session(values[2])
if session and not is_asked(session, now) then session = nil end
if session then
  local done = recall(session, step)
  if type(done) == 'string' then return reply(FRESH, now, 0, values[2], done) end
end
if check('log', 'XLEN', log) >= brought[11] then fail('FULL') end
local turned_away = admit(guard, values[3], values[4], now)
if turned_away then return turned_away end

-- Only the call was counted.
local function answer(...)
  commit()
  return reply(...)
end
local function refuse(verdict, ...)
  return answer(FRESH, now, verdict, values[2], ...)
end

if not session then return answer(FRESH, now, 11) end
if claim then
  local state, kind, held, more = claimed(claim, values[5], now)
  if state == REPLAYED and kind == MEMO_SENT then return answer(REPLAYED, now, 0, held, more) end
  if state then return answer(state == RUNNING and RUNNING or MISMATCH, now) end
end
if refuse_ended(session) then return refuse(refuse_ended(session)) end
if attempts_remaining(session) == 0 and not session[UNLOCKS] then return refuse(3) end
if now < session[RESEND_AT] then return refuse(8, 2, session[RESEND_AT] - now) end

local challenges = session[CHALLENGES]
local challenge_of = {}
for _, challenge in ipairs(challenges) do challenge_of[challenge[CHANNEL]] = challenge_of[challenge[CHANNEL]] or challenge end
local chosen = named or channels_of(session, false)
for at = 1, #chosen do
  local challenge = challenge_of[string.byte(chosen, at)]
  if not challenge then return refuse(5) end
  if challenge[VERIFIED_AT] then return refuse(6) end
end
local from = codes_at(session, codes)
if not from then return need(session, now) end

local held, captured = tally(session)
if session[BEFORE_EXPIRES] then
  session[BEFORE_WRONG] = math.min(session[BEFORE_WRONG] + session[WRONG], 255)
else
  session[BEFORE_EXPIRES], session[BEFORE_WRONG] = session[EXPIRES], session[WRONG]
end
local generation, expires_at = session[GENERATION] + 1, now + session[LIFE]
session[GENERATION], session[WRONG], session[TOLD] = generation, 0, false
session[EXPIRES], session[RESEND_AT] = expires_at, now + session[PAUSE]
for _, planned in ipairs(session[FALLBACK]) do planned[TURN_AT] = now + planned[AFTER] end
hold_fee(session)

local events = {}
do
  local told = ''
  for at = 1, #chosen do
    local channel = string.byte(chosen, at)
    told = told .. string.sub(messages, channel * 16 - 15, channel * 16) .. string.char(channel)
  end
  events[1] = {2, told, expires_at}
end

local bring = {codes, from, messages, instant, generation, expires_at, lease}
forget_vain(session)
local is_chosen = {}
for at = 1, #chosen do
  local channel = string.byte(chosen, at)
  is_chosen[channel] = true
  renew(session, challenge_of[channel], false, bring, events, now)
end
local budgets = {}
for _, challenge in ipairs(challenges) do
  if is_chosen[challenge[CHANNEL]] then
    if challenge[ATTEMPT] ~= SENDING then capture(session, challenge[MESSAGE], challenge[COST], events) end
    budgets[#budgets + 1] = challenge[CHANNEL]
    budgets[#budgets + 1] = challenge[BUDGET]
  end
  if challenge[SENT_IN] == generation and (challenge[ATTEMPT] == ACCEPTED or challenge[ATTEMPT] == UNCLEAR) then
    session[BEFORE_EXPIRES] = false
  end
end

local counts, is_user = counts_of(session[USERS], limits)
do
  local keys = {}
  for at = 2, #budgets, 2 do keys[#keys + 1] = budgets[at] end
  for _, one in ipairs(counts) do keys[#keys + 1] = one[1] end
  read_subjects(keys)
  local channel, wait = blocked(budgets, rule, now)
  if channel then return refuse(9, channel, wait) end
  local name, until_room = no_room(counts, is_user, limits[3], now)
  if name then return refuse(8, name, until_room) end
end
local account, account_was_there = funds(session, held, captured, account_key)
if account == false then return refuse(10) end
count_send(counts, is_user, expires_at, now)
remember(session, step, chosen)
local packed, entry = finish(session, true, account_key, account, account_was_there, events, now)
local others = {schedule(due, session), false, append(log, entry), false}
if claim then claim_send(KEYS[5], values[5], claim, session, chosen, now) end
commit(others)
return reply(FRESH, now, 0, packed, chosen)
