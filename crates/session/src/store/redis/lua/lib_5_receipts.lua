-- What receipts leave behind: the copy of what the steps share in session/receive.rs.
--
-- A session keeps at RECEIPTS: what follows a bad or missing receipt (0 nothing, 1 another provider, 2 another channel), how long receipts may
-- take (two bytes of seconds for each channel, in the order of their numbers; false: as where nobody says), and REPLACED, five to a message whose
-- place another took: id, channel, status, provider or false, whether it was taken in vain. A challenge keeps at RECEIPT: why its message did not
-- arrive or false, when another is to follow or false, who carried it or false. Where there is nothing to keep nothing stands there.

local REPLACED_SIZE, MOST_REPLACED = 5, 4
local USUAL_WAITS = '300 45 30 60'

local function set_receipt(challenge, reason, follow_at, carrier)
  challenge[RECEIPT] = (reason or follow_at or carrier) and {reason or false, follow_at or false, carrier or false} or nil
end

-- Nothing more follows the message. True where something would have.
local function give_up(challenge)
  local receipt = challenge[RECEIPT]
  if not receipt or not receipt[2] then return false end
  set_receipt(challenge, receipt[1], false, receipt[3])
  return true
end

-- Whether anything can follow a message that did not arrive.
local function follows(session)
  local receipts = session[RECEIPTS]
  return (receipts and receipts[1] > 0) or #session[FALLBACK] > 0
end

-- In milliseconds.
local function receipt_wait(session, channel)
  local waits = session[RECEIPTS][2]
  if waits then return struct.unpack('>I2', waits, channel * 2 - 1) * 1000 end
  local usual = {}
  for seconds in string.gmatch(USUAL_WAITS, '%d+') do usual[#usual + 1] = seconds * 1000 end
  return usual[channel]
end

-- What follows once a message is no longer being handed over.
local function await_receipt(session, challenge, now)
  local attempt, receipt, receipts = challenge[ATTEMPT], challenge[RECEIPT], session[RECEIPTS]
  local reason = receipt and receipt[1]
  local follow_at = false
  if attempt == ACCEPTED or attempt == UNCLEAR then
    if reason then
      follow_at = follows(session) and now
    elseif attempt == ACCEPTED and receipts and receipts[1] > 0 and challenge[STATUS] ~= ARRIVED then
      follow_at = now + receipt_wait(session, challenge[CHANNEL])
    end
  end
  set_receipt(challenge, reason, follow_at, receipt and receipt[3])
end

local function replaced_of(session)
  return session[RECEIPTS] and session[RECEIPTS][3] or {}
end

local function place_of_replaced(replaced, message)
  for at = 1, #replaced, REPLACED_SIZE do
    if replaced[at] == message then return at end
  end
end

-- Writes down who took a replaced message, once that is known.
local function record_replaced(session, message, attempt, provider)
  local replaced = replaced_of(session)
  local place = place_of_replaced(replaced, message)
  if not place then return end
  local stands = replaced[place + 2]
  if attempt == ACCEPTED or attempt == UNCLEAR then replaced[place + 3] = provider end
  if stands == 0 and attempt == ACCEPTED then replaced[place + 2] = 1 end
  if stands == 0 and attempt >= FAILED then replaced[place + 2] = NOT_SENT end
end

-- Keeps of a message whose place another takes what a receipt needs.
local function keep_replaced(session, challenge, in_vain)
  if challenge[ATTEMPT] >= FAILED then return end
  session[RECEIPTS] = session[RECEIPTS] or {0, false, {}}
  local replaced = session[RECEIPTS][3]
  if #replaced >= MOST_REPLACED * REPLACED_SIZE then
    for _ = 1, REPLACED_SIZE do table.remove(replaced, 1) end
  end
  for _, value in ipairs({challenge[MESSAGE], challenge[CHANNEL], challenge[STATUS], challenge[PROVIDER], in_vain}) do
    replaced[#replaced + 1] = value
  end
end

-- How many messages of a channel (nil: of any) were taken in vain.
local function taken_in_vain(session, channel)
  local replaced, count = replaced_of(session), 0
  for at = 1, #replaced, REPLACED_SIZE do
    if replaced[at + 4] and (not channel or replaced[at + 1] == channel) then count = count + 1 end
  end
  return count
end

-- The caller has asked for new messages: every provider may be tried again.
local function forget_vain(session)
  local replaced = replaced_of(session)
  for at = 1, #replaced, REPLACED_SIZE do replaced[at + 4] = false end
end
