#!lua flags=allow-oom
-- Opens the next fallback channel, or tries a channel once more: the copy of steps/send_again.rs and session/send_again.rs.
--
-- KEYS: meta, session, head and calls (when a caller asks), account, log, due.
-- brought: step, guard or false, rule of wrong guesses, turn (0 next, 1 of that channel, 2 due, 3 another provider and 4 another channel in place of
-- a message), its channel, codes, messages, instant, lease, the message or false.

local RETRY, INSTEAD = 3, 4

local brought = cmsgpack.unpack(ARGV[2])
local step, guard, rule, turn, turn_channel, codes, messages, instant, lease, of = unpack(brought)
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

if not session then return answer(FRESH, now, 11) end
local planned = session[FALLBACK][1]
-- The message in whose place something is to follow, if it still is.
local function awaited()
  for _, challenge in ipairs(session[CHALLENGES]) do
    local follow_at = challenge[RECEIPT] and challenge[RECEIPT][2]
    if challenge[MESSAGE] == of and follow_at and follow_at <= now and not challenge[VERIFIED_AT] then return challenge end
  end
end
if turn >= RETRY then
  local late = awaited()
  if not late or (turn == INSTEAD and late[SENT_IN] ~= session[GENERATION]) then return refuse(7) end
elseif planned and ((turn == 1 and planned[CHANNEL] ~= turn_channel) or (turn == 2 and planned[TURN_AT] > now)) then
  return refuse(7)
end
local ended = refuse_ended(session)
if ended then return refuse(ended) end
local stands = status(session, now)
if stands == EXPIRED then return refuse(4) end
if stands == LOCKED then return refuse(3) end
if turn == RETRY then
  if taken_in_vain(session) >= MOST_REPLACED then return refuse(7) end
elseif not planned then
  return refuse(7)
end
local from = codes_at(session, codes)
if not from then return need(session, now) end
check('log', 'XLEN', log)

-- The turn is over all the same where nothing can be sent, or it would stay due.
local function turn_over(verdict, ...)
  session = decode_session(values[2])
  local held, captured = tally(session)
  if turn >= RETRY then give_up(awaited()) end
  if turn ~= RETRY then table.remove(session[FALLBACK], 1) end
  release_fee(session, now)
  local account, account_was_there = funds(session, held, captured, account_key)
  local packed, entry = finish(session, AS_BEFORE, account_key, account, account_was_there, {}, now)
  local others = {schedule(due, session), false}
  if entry then others[3], others[4] = append(log, entry), false end
  commit(others)
  return reply(FRESH, now, verdict, packed, ...)
end

local held, captured = tally(session)
local generation, challenges = session[GENERATION] + 1, session[CHALLENGES]
local channel, events
if turn == RETRY then
  local challenge = awaited()
  channel = challenge[CHANNEL]
  events = {{22, string.sub(messages, channel * 16 - 15, channel * 16), channel}}
  hold_fee(session)
  session[GENERATION] = generation
  renew(session, challenge, true, {codes, from, messages, instant, generation, session[EXPIRES], lease}, events, now)
else
  if turn == INSTEAD then give_up(awaited()) end
  channel = planned[CHANNEL]
  table.remove(session[FALLBACK], 1)
  hold_fee(session)
  session[GENERATION] = generation
  local challenge =
    {channel, planned[RECIPIENT], planned[BUDGET], '', 0, 0, false, false, 0, false, false, planned[PLANNED_COST], 0, false, {}}
  begin_message(challenge, messages, instant, generation, lease, now)
  add_digest(challenge, codes, from, generation, session[EXPIRES])
  events = {{3, challenge[MESSAGE], channel}}
  tell_begun(challenge, events)
  challenges[#challenges + 1] = challenge
end
local budgets = {}
for _, asked in ipairs(challenges) do
  if asked[CHANNEL] == channel then
    if asked[ATTEMPT] ~= SENDING then capture(session, asked[MESSAGE], asked[COST], events) end
    budgets[#budgets + 1] = channel
    budgets[#budgets + 1] = asked[BUDGET]
  end
end
local keys = {}
for at = 2, #budgets, 2 do keys[#keys + 1] = budgets[at] end
read_subjects(keys)
local blocked_channel, wait = blocked(budgets, rule, now)
if blocked_channel then return turn_over(9, blocked_channel, wait) end
local account, account_was_there = funds(session, held, captured, account_key)
if account == false then return turn_over(10) end
local sent = string.char(channel)
remember(session, step, sent)
local packed, entry = finish(session, AS_BEFORE, account_key, account, account_was_there, events, now)
commit({schedule(due, session), false, append(log, entry), false})
return reply(FRESH, now, 0, packed, sent)
