#!lua flags=allow-oom
-- Ends a session at the caller's wish: the copy of steps/end.rs.
--
-- KEYS: meta, session, head, calls (head once more without a guard), the memo (with a claim), account, log. brought: step, guard or false, claim or false.

local brought = cmsgpack.unpack(ARGV[2])
local step, guard, claim = unpack(brought)
local count = #KEYS
local account_key, log = KEYS[count - 1], KEYS[count]
local now = moment()
local values = redis.call('MGET', unpack(KEYS, 1, count - 2))
check_meta(values[1])
local session = decode_session(values[2])
if session and not is_asked(session, now) then session = nil end
if session and recall(session, step) then return reply(FRESH, now, 0, values[2]) end
if guard then
  local turned_away = admit(guard, values[3], values[4], now)
  if turned_away then return turned_away end
end

-- Only the call was counted, if one was.
local function answer(...)
  commit()
  return reply(...)
end

if not session then return answer(FRESH, now, 2) end
if claim then
  local state, kind, held = claimed(claim, values[5], now)
  if state == REPLAYED and kind == MEMO_CANCELED then return answer(REPLAYED, now, 0, held) end
  if state then return answer(state == RUNNING and RUNNING or MISMATCH, now) end
end
if session[END] == VERIFIED then return answer(FRESH, now, 1, values[2]) end
local packed, others = values[2], nil
if session[END] == 0 then
  local held, captured = tally(session)
  close(session, CANCELED, now)
  release_fee(session, now)
  remember(session, step, 0)
  local account, account_was_there = funds(session, held, captured, account_key)
  local entry
  packed, entry = finish(session, AS_BEFORE, account_key, account, account_was_there, {{7}}, now)
  others = {append(log, entry), false}
end
if claim then put_memo(KEYS[5], values[5], claim, now, MEMO_CANCELED, snapshot(session)) end
commit(others)
return reply(FRESH, now, 0, packed)
