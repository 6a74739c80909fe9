-- Steps on a balance that no session causes: the copy of steps/account.rs.
--
-- KEYS: meta, account, log, due. brought: what to do (0 credit, 1 cut, 2 rebuild), then a number and an amount for a credit, a balance and the
-- number of credits for a rebuild. Answers: verdict, balance, held, credits, as text where they are amounts.

local CREDIT, CUT, REBUILD = 0, 1, 2
local MOST_MONEY = 9000000000000000
local BALANCE, HELD, CREDITS, LOW_TOLD, EVENTS = 2, 3, 4, 5, 6

local function money(amount)
  return math.max(math.min(amount, MOST_MONEY), -MOST_MONEY)
end

local brought = cmsgpack.unpack(ARGV[2])
local log, due = KEYS[3], KEYS[4]
local now = moment()
local values = redis.call('MGET', KEYS[1], KEYS[2])
check_meta(values[1])
local account = decode('account', values[2]) or {LAYOUT, 0, 0, 0, false, 0}

local function answer(verdict)
  return {verdict, string.format('%.0f', account[BALANCE]), string.format('%.0f', account[HELD]), account[CREDITS]}
end
local function keep(others)
  put(KEYS[2], cmsgpack.pack(account), 0, values[2])
  commit(others)
end

if brought[1] == CREDIT then
  local number, amount = brought[2], brought[3]
  if number <= account[CREDITS] then return answer(1) end
  if number > account[CREDITS] + 1 then return answer(3) end
  account[CREDITS] = number
  local fits = amount >= 0 or money(money(account[BALANCE] - account[HELD]) + amount) >= 0
  if fits then
    account[BALANCE] = money(account[BALANCE] + amount)
    if amount >= 0 then account[LOW_TOLD] = false end
  end
  keep()
  return answer(fits and 0 or 2)
end

if brought[1] == CUT then
  account[EVENTS] = account[EVENTS] + 1
  local tenant = string.sub(KEYS[2], #TAG + 2)
  local event = {18, account[BALANCE], account[HELD], account[CREDITS]}
  local entry = cmsgpack.pack({LAYOUT, tenant .. string.char(0), 0, now, 1, tenant, account[EVENTS], {event}})
  keep({{'XADD', log, '*', 'e', entry}, false})
  return answer(0)
end

-- A session that holds something waits for something to happen in time, so it is among those that are due sooner or later.
local held, tenant = 0, string.sub(KEYS[2], #TAG + 2)
for _, name in ipairs(redis.call('ZRANGE', due, 0, -1)) do
  if string.sub(name, 1, 16) == tenant then
    local session = decode('session', get('session', TAG .. 's' .. name))
    if session and session[25] then
      for _, challenge in ipairs(session[29]) do
        if challenge[6] == 0 then held = money(held + challenge[12]) end
      end
      if session[27] == 0 then held = money(held + session[25]) end
    end
  end
end
account[BALANCE], account[HELD], account[CREDITS], account[LOW_TOLD] = brought[2], held, brought[3], false
keep()
return answer(0)
