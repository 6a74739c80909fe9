#!lua flags=allow-oom
-- Steps on a balance that no session causes: the copy of steps/account.rs.
--
-- KEYS: meta, account, log, due. brought: what to do (0 credit, 1 cut, 2 rebuild), then a number and an amount for a credit, a balance and the
-- number of credits for a rebuild. Answers: verdict, balance, held, credits, as text where they are amounts.

local CREDIT, CUT = 0, 1
local MOST_REFUSED = 64

local brought = cmsgpack.unpack(ARGV[2])
local log, due = KEYS[3], KEYS[4]
local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
local account = decode('account', values[2]) or new_account()

local function answer(verdict)
  return {verdict, string.format('%.0f', account[BALANCE]), string.format('%.0f', account[ACCOUNT_HELD]), account[CREDITS]}
end
local function keep(others)
  put(KEYS[2], cmsgpack.pack(account), 0, values[2])
  commit(others)
end

if brought[1] == CREDIT then
  local number, amount = brought[2], brought[3]
  if number <= account[CREDITS] then
    for _, refused in ipairs(account[REFUSED_CREDITS]) do
      if refused == number then return answer(2) end
    end
    return answer(1)
  end
  if number > account[CREDITS] + 1 then return answer(3) end
  account[CREDITS] = number
  local fits
  if amount < 0 then
    fits = money(money(account[BALANCE] - account[ACCOUNT_HELD]) + amount) >= 0
  else
    fits = money(account[BALANCE] + amount) < MOST_MONEY
  end
  if not fits then
    local refused = account[REFUSED_CREDITS]
    refused[#refused + 1] = number
    if #refused > MOST_REFUSED then table.remove(refused, 1) end
  end
  if fits then
    account[BALANCE] = money(account[BALANCE] + amount)
    if amount >= 0 then account[LOW_TOLD] = false end
  end
  keep()
  return answer(fits and 0 or 2)
end

if brought[1] == CUT then
  account[ACCOUNT_EVENTS] = account[ACCOUNT_EVENTS] + 1
  local tenant = string.sub(KEYS[2], #TAG + 2)
  local event = {18, account[BALANCE], account[ACCOUNT_HELD], account[CREDITS]}
  local entry = cmsgpack.pack({LAYOUT, tenant .. string.char(0), 0, now, 1, tenant, account[ACCOUNT_EVENTS], {event}})
  keep({{'XADD', log, '*', 'e', entry}, false})
  return answer(0)
end

-- A session that holds something waits for something to happen in time, so it is among those that are due sooner or later.
local held, tenant = 0, string.sub(KEYS[2], #TAG + 2)
local waiting = redis.pcall('ZRANGE', due, 0, -1)
if waiting.err then fail('CORRUPT due') end
for _, name in ipairs(waiting) do
  if string.sub(name, 1, 16) == tenant then
    local session = decode_session(get('session', TAG .. 's' .. name))
    if session then held = money(held + (tally(session))) end
  end
end
account[BALANCE], account[ACCOUNT_HELD], account[CREDITS], account[LOW_TOLD] = brought[2], held, brought[3], false
keep()
return answer(0)
