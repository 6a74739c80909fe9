#!lua
-- Opens a session: the copy of steps/open.rs. What it looks like and what happened is made in Rust, as it were at the moment 0.
--
-- KEYS: meta, session, head, calls, the memo (with a claim), the account (of a billed session), subjects, names, log, due, index.
-- brought: session, guard, rule of wrong guesses, limits, claim or false, events, most entries in the log, names or false. Of the names: whether
-- there is a slot, a recipient, how many codes there are to choose from, names of each (the one to be written first), and the macs of the codes
-- beside the first. Where nothing is to be chosen every name of a code is written.

-- One opening in so many also drops what is old from the index, and this is how much is dropped at most.
local SWEEP_EVERY, INDEX_KEPT = 64, 93600000

local brought = cmsgpack.unpack(ARGV[2])
local session, guard, rule, limits, claim, events, log_max, names = unpack(brought)
local count = #KEYS
local log, due, index = KEYS[count - 2], KEYS[count - 1], KEYS[count]
local now = moment()
local values = redis.call('MGET', unpack(KEYS, 1, count - 3))
check_meta(values[1])
if values[2] then
  decode_session(values[2])
  return reply(FRESH, now, 0, values[2])
end
if check('log', 'XLEN', log) >= log_max then fail('FULL') end
local turned_away = admit(guard, values[3], values[4], now)
if turned_away then return turned_away end

-- Only the call was counted.
local function answer(...)
  commit()
  return reply(...)
end

local first, memo, account_at = 5, nil, nil
if claim then
  memo, first = first, first + 1
  local state, kind, held = claimed(claim, values[memo], now)
  if state == REPLAYED and kind == MEMO_SENT then return answer(REPLAYED, now, 0, held) end
  if state then return answer(state == RUNNING and RUNNING or MISMATCH, now) end
end
if session[FEE] then account_at, first = first, first + 1 end
-- Where the names of codes begin, and before them the others.
local code_at, slot_at, recipient_at = count - 2, nil, nil
local last_subject = count - 3
if names then
  code_at = code_at - names[3] * names[4]
  last_subject = code_at - 1
  if names[2] then recipient_at, last_subject = last_subject, last_subject - 1 end
  if names[1] then slot_at, last_subject = last_subject, last_subject - 1 end
end
take_subjects(values, first, last_subject)

local until_free = slot_at and slot_wait(values[slot_at], now)
if until_free then return answer(FRESH, now, 4, until_free) end

local budgets = {}
for _, list in ipairs({session[CHALLENGES], session[FALLBACK]}) do
  for _, asked in ipairs(list) do
    budgets[#budgets + 1] = asked[CHANNEL]
    budgets[#budgets + 1] = asked[BUDGET]
  end
end
local channel, wait = blocked(budgets, rule, now)
if channel then return answer(FRESH, now, 2, channel, wait) end
local counts, is_user = counts_of(session[USERS], limits)
local name, until_room = no_room(counts, is_user, limits[3], now)
if name then return answer(FRESH, now, 1, name, until_room) end

local generation = 0
if names and names[3] > 1 then
  for nth = names[3] - 1, 0, -1 do
    local from = code_at + nth * names[4]
    if is_unnamed(values, from, from + names[4] - 1, now) then generation = nth end
  end
end
if generation > 0 then
  local challenge = session[CHALLENGES][1]
  session[GENERATION], challenge[SENT_IN] = generation, generation
  challenge[DIGESTS][2] = string.sub(names[5], generation * 32 - 31, generation * 32)
  challenge[DIGESTS][3] = generation
end

local is_notice = session[END] == NOTICE
if is_notice then session[ENDED_AT] = now end
local expires_at = now + session[EXPIRES]
session[CREATED], session[EXPIRES], session[RESEND_AT] = now, expires_at, now + session[RESEND_AT]
for _, challenge in ipairs(session[CHALLENGES]) do
  challenge[LEASE] = now + challenge[LEASE]
  if challenge[SENT_AT] then challenge[SENT_AT] = now end
  local digests = challenge[DIGESTS]
  for at = 4, #digests, 5 do digests[at] = expires_at end
end
for _, planned in ipairs(session[FALLBACK]) do planned[TURN_AT] = now + planned[TURN_AT] end
local account, account_was_there
if account_at then
  account, account_was_there = funds(session, 0, 0, KEYS[account_at], values[account_at])
  if account == false then return answer(FRESH, now, 3) end
end
count_send(counts, is_user, expires_at, now)
if slot_at then put_name(KEYS[slot_at], nil, values[slot_at], expires_at + DAY, now) end
if recipient_at then
  put_name(KEYS[recipient_at], decode('name', values[recipient_at]), values[recipient_at], expires_at, now)
end
if names then
  local from = code_at + generation * names[4]
  for at = from, names[3] > 1 and from or from + names[4] - 1 do
    put_name(KEYS[at], decode('name', values[at]), values[at], expires_at, now)
  end
end
local account_key = account_at and KEYS[account_at]
local packed, entry = finish(session, false, account_key, account, account_was_there, events, now)
local scheduled = schedule(due, session)
if memo then claim_send(KEYS[memo], values[memo], claim, session, '', now) end

-- A notice is in no list.
if is_notice then
  commit({scheduled, {'ZREM', due, NAME}, append(log, entry), false})
  return reply(FRESH, now, 0, packed)
end
local swept = {'PEXPIRE', index, INDEX_KEPT}
if string.byte(ID, 15) % SWEEP_EVERY == 0 then
  swept = {'ZREMRANGEBYLEX', index, '-', '(' .. struct.pack('>I6', math.max(now - INDEX_KEPT, 0))}
end
commit({
  {'ZADD', index, 0, ID}, {'ZREM', index, ID},
  scheduled, {'ZREM', due, NAME},
  append(log, entry), false,
  swept, false,
})
return reply(FRESH, now, 0, packed)
