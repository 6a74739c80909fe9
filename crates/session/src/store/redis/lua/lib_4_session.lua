-- A session and what it costs: the copy of session/mod.rs, bill.rs, lapse.rs and of what all steps share.
--
-- It lies under KEYS[2]. Amounts are whole millionths, moments and spans milliseconds: both are exact in a double.

local DAY, KEPT_AFTER = 86400000, 3600000
local MOST_MONEY = 9000000000000000
local REMEMBERED = 4

-- The places of a session. FRAME, the second, is what only Rust reads; false stands for none.
local MODE, ALL, SHARED, KEEP_OLD, UNLOCKS, KEEP_FAILED, ADD_CONTACT = 3, 4, 5, 6, 7, 8, 9
local LENGTH, LIFE, MAX, PAUSE = 10, 11, 12, 13
local CREATED, EXPIRES, RESEND_AT, GENERATION, WRONG, TOLD, EVENTS = 14, 15, 16, 17, 18, 19, 20
local BEFORE_EXPIRES, BEFORE_WRONG, END, ENDED_AT = 21, 22, 23, 24
local FEE, LOW, FEE_STATE, CAPTURED = 25, 26, 27, 28
local CHALLENGES, FALLBACK, USERS, STEPS = 29, 30, 31, 32
-- Only where there is something to keep: see lib_5_receipts.lua.
local RECEIPTS, RECEIPT = 33, 16
-- The places of a challenge. DIGESTS holds five to a code: kid, mac, generation, expiry, whether it retires.
local CHANNEL, RECIPIENT, BUDGET, MESSAGE, SENT_IN, ATTEMPT, PROVIDER, PROVIDER_ID = 1, 2, 3, 4, 5, 6, 7, 8
local STATUS, SENT_AT, DELIVERED_AT, COST, LEASE, VERIFIED_AT, DIGESTS = 9, 10, 11, 12, 13, 14, 15
-- The places of a planned channel, beside the first three of a challenge.
local PLANNED_COST, AFTER, TURN_AT = 4, 5, 6
-- Attempts; from FAILED on it is FAILED + the reason, the first of which is that the recipient is refused.
local SENDING, ACCEPTED, UNCLEAR, FAILED, REFUSED = 0, 1, 2, 3, 3
-- Statuses of messages that scripts speak of.
local ARRIVED, NOT_SENT = 2, 3
-- Ends, and what a session without one is.
local PENDING, VERIFIED, CANCELED, GONE, EXPIRED, LOCKED = 0, 1, 2, 3, 4, 5
-- The end of a message without a code, with which it begins.
local NOTICE = 6
-- The fee.
local HELD, TAKEN, RELEASED = 0, 1, 2
-- The places of an account.
local BALANCE, ACCOUNT_HELD, CREDITS, LOW_TOLD, ACCOUNT_EVENTS, REFUSED_CREDITS = 2, 3, 4, 5, 6, 7

-- Tenant, kind of key and id, as in the key's name; nothing of it is read from a value.
local NAME = string.sub(KEYS[2], #TAG + 2)
local SCOPE, ID = string.sub(NAME, 1, 17), string.sub(NAME, 18)

local function decode_session(packed)
  local session = decode('session', packed)
  if session and (type(session[STEPS]) ~= 'table' or type(session[CHALLENGES]) ~= 'table') then fail('CORRUPT session') end
  return session
end

local function forgotten_at(session)
  return session[CREATED] + session[LIFE] + DAY
end

local function is_forgotten(session, now)
  return now >= forgotten_at(session)
end

-- Whether anybody may ask something of it.
local function is_asked(session, now)
  return session[END] ~= NOTICE and not is_forgotten(session, now)
end

local function status(session, now)
  if session[END] > 0 then return session[END] end
  if now >= session[EXPIRES] then return EXPIRED end
  if session[WRONG] >= session[MAX] then return LOCKED end
  return PENDING
end

local function attempts_remaining(session)
  return math.max(session[MAX] - session[WRONG], 0)
end

-- One byte for each channel that is, or is not, proved.
local function channels_of(session, verified)
  local channels = ''
  for _, challenge in ipairs(session[CHALLENGES]) do
    if (challenge[VERIFIED_AT] ~= false) == verified then channels = channels .. string.char(challenge[CHANNEL]) end
  end
  return channels
end

-- What a step did when it was taken before: 0 for nothing more than the session says, a string for the channels it sent to, a table for a
-- judgement; nil where it was not.
local function recall(session, step)
  local steps = session[STEPS]
  for at = 1, #steps, 2 do
    if steps[at] == step then return steps[at + 1] end
  end
end

local function remember(session, step, done)
  local steps = session[STEPS]
  if #steps >= REMEMBERED * 2 then
    table.remove(steps, 1)
    table.remove(steps, 1)
  end
  steps[#steps + 1] = step
  steps[#steps + 1] = done
end

local function money(amount)
  return math.max(math.min(amount, MOST_MONEY), -MOST_MONEY)
end

-- What is set aside, and what was taken.
local function tally(session)
  if not session[FEE] then return 0, 0 end
  local held = 0
  for _, challenge in ipairs(session[CHALLENGES]) do
    if challenge[ATTEMPT] == SENDING then held = money(held + challenge[COST]) end
  end
  if session[FEE_STATE] == HELD then held = money(held + session[FEE]) end
  return held, session[CAPTURED]
end

local function capture(session, message, cost, events)
  if not session[FEE] then return end
  local fee = session[FEE_STATE] == TAKEN and 0 or session[FEE]
  session[FEE_STATE] = TAKEN
  session[CAPTURED] = money(money(session[CAPTURED] + fee) + cost)
  if fee ~= 0 then events[#events + 1] = {16, false, fee} end
  if cost ~= 0 then events[#events + 1] = {16, message, cost} end
end

local function hold_fee(session)
  if session[FEE] and session[FEE_STATE] == RELEASED then session[FEE_STATE] = HELD end
end

local function release_fee(session, now)
  if not session[FEE] or session[FEE_STATE] ~= HELD then return end
  for _, challenge in ipairs(session[CHALLENGES]) do
    if challenge[ATTEMPT] == SENDING then return end
  end
  if session[END] == 0 and now < session[EXPIRES] and #session[FALLBACK] > 0 then return end
  session[FEE_STATE] = RELEASED
end

-- The event of an attempt's outcome, if it has one.
local function tell_outcome(events, message, channel, attempt, provider, provider_id)
  if attempt == ACCEPTED then
    events[#events + 1] = {11, message, channel, provider, provider_id}
  elseif attempt == UNCLEAR then
    events[#events + 1] = {12, message, channel, provider}
  elseif attempt >= FAILED then
    events[#events + 1] = {13, message, channel, attempt - FAILED}
  end
end

local function close(session, how, now)
  session[END], session[ENDED_AT] = how, now
  session[FALLBACK] = {}
  session[BEFORE_EXPIRES] = false
  for _, challenge in ipairs(session[CHALLENGES]) do challenge[DIGESTS] = {} end
end

-- The next moment at which time alone has something to do; nil when there is none. That it may be dropped at last is the key's own affair.
local function due_at(session)
  local due
  for _, challenge in ipairs(session[CHALLENGES]) do
    if challenge[ATTEMPT] == SENDING and (not due or challenge[LEASE] < due) then due = challenge[LEASE] end
  end
  if session[END] > 0 or session[TOLD] then return due end
  if not due or session[EXPIRES] < due then due = session[EXPIRES] end
  local next_turn = session[FALLBACK][1]
  if session[WRONG] >= session[MAX] then return due end
  if next_turn and next_turn[TURN_AT] < due then due = next_turn[TURN_AT] end
  for _, challenge in ipairs(session[CHALLENGES]) do
    local follow_at = challenge[RECEIPT] and challenge[RECEIPT][2]
    if follow_at and follow_at < due and not challenge[VERIFIED_AT] then due = follow_at end
  end
  return due
end

-- The command that notes when the session is due next.
local function schedule(key, session)
  local due = due_at(session)
  if due then return {'ZADD', key, due, NAME} end
  return {'ZREM', key, NAME}
end

local function kept_until(session)
  return math.max(forgotten_at(session), session[EXPIRES]) + KEPT_AFTER
end

local function new_account()
  return {LAYOUT, 0, 0, 0, false, 0, {}}
end

-- Where the balance stands after a step that changed a session whose tally was `held` and `captured`: nil where no money moves, false where
-- there is not enough, else the account and whether it was there. `packed`: the account, where it was read already.
local function funds(session, held, captured, key, packed)
  local held_now, captured_now = tally(session)
  if held_now == held and captured_now == captured then return nil end
  if packed == nil then packed = get('account', key) end
  local account = decode('account', packed) or new_account()
  local needed = money(money(held_now + captured_now) - money(held + captured))
  if needed > 0 and money(account[BALANCE] - account[ACCOUNT_HELD]) < needed then return false end
  account[ACCOUNT_HELD] = money(money(account[ACCOUNT_HELD] + held_now) - held)
  account[BALANCE] = money(account[BALANCE] - money(captured_now - captured))
  return account, packed
end

-- Stages the session, its account and what happened. was_there: false for a new session, AS_BEFORE for one whose codes live as long as they
-- did, true otherwise. Returns the packed session, and the packed entry of the log unless nothing happened.
local function finish(session, was_there, account_key, account, account_was_there, events, now)
  if account then
    local available = money(account[BALANCE] - account[ACCOUNT_HELD])
    if not account[LOW_TOLD] and session[LOW] and available < session[LOW] then
      account[LOW_TOLD] = true
      events[#events + 1] = {17, available}
    end
    put(account_key, cmsgpack.pack(account), 0, account_was_there)
  end
  local first = session[EVENTS] + 1
  session[EVENTS] = session[EVENTS] + #events
  local packed = cmsgpack.pack(session)
  -- At least a minute, for what is written down of a session that is gone already.
  local life = was_there == AS_BEFORE and AS_BEFORE or math.max(kept_until(session) - now, 60000)
  put(KEYS[2], packed, life, was_there)
  if #events == 0 then return packed, nil end
  return packed, cmsgpack.pack({LAYOUT, SCOPE, session[MODE], now, 0, ID, first, events})
end

local function append(key, entry)
  return {'XADD', key, '*', 'e', entry}
end

-- Where something will be written after what cannot be taken back: asks for its length, which another type does not have.
local function check(what, command, key)
  local length = redis.pcall(command, key)
  if type(length) == 'table' then fail('CORRUPT ' .. what) end
  return length
end
