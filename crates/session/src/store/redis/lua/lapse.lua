#!lua flags=allow-oom
-- Tells the log what time alone has made true: the copy of steps/end.rs and session/lapse.rs. Notes when it has to come back, so a session may
-- be due before there is anything to do.
--
-- KEYS: meta, session, account, log, due, index. brought: a message that nothing more follows, or false. Answers the moment, what it asks for
-- (0 nothing, 1 the next fallback, 2 something in place of a message) and of which message on which channel.

local given_up = cmsgpack.unpack(ARGV[2])[1]
local account_key, log, due, index = KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
local session = decode_session(values[2])
if not session or now >= kept_until(session) then
  check('index', 'ZCARD', index)
  local others = {{'ZREM', due, NAME}, false, {'ZREM', index, ID}, false}
  if session then others[5], others[6] = {'DEL', KEYS[2]}, false end
  commit(others)
  return {now, 0}
end
check('log', 'XLEN', log)
local held, captured = tally(session)
local events, changed = {}, false
for _, challenge in ipairs(session[CHALLENGES]) do
  if challenge[MESSAGE] == given_up and give_up(challenge) then changed = true end
end
for _, challenge in ipairs(session[CHALLENGES]) do
  if challenge[ATTEMPT] == SENDING and challenge[LEASE] <= now then
    challenge[ATTEMPT], challenge[PROVIDER] = UNCLEAR, false
    await_receipt(session, challenge, now)
    tell_outcome(events, challenge[MESSAGE], challenge[CHANNEL], UNCLEAR, false)
    capture(session, challenge[MESSAGE], challenge[COST], events)
  end
end
if session[END] == 0 and now >= session[EXPIRES] and not session[TOLD] then
  session[TOLD] = true
  for _, challenge in ipairs(session[CHALLENGES]) do challenge[DIGESTS] = {} end
  events[#events + 1] = {5}
end
release_fee(session, now)
local next_turn = session[FALLBACK][1]
local is_open = status(session, now) == PENDING
local is_turn = is_open and next_turn and next_turn[TURN_AT] <= now
local overdue
for _, challenge in ipairs(session[CHALLENGES]) do
  local follow_at = challenge[RECEIPT] and challenge[RECEIPT][2]
  if is_open and not overdue and follow_at and follow_at <= now and not challenge[VERIFIED_AT] then overdue = challenge end
end
local others = {schedule(due, session), false}
if changed or #events > 0 then
  local account, account_was_there = funds(session, held, captured, account_key)
  local _, entry = finish(session, true, account_key, account, account_was_there, events, now)
  if entry then others[3], others[4] = append(log, entry), false end
end
commit(others)
if overdue then return {now, 2, overdue[MESSAGE], overdue[CHANNEL]} end
return {now, is_turn and 1 or 0}
