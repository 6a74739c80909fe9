-- Idempotency keys: the copy of steps/claims.rs. A memo holds: body, when it is forgotten, what it is, and then
-- the session and the lease of a running call, or a packed session and what else was answered.

local MEMO_RUNNING, MEMO_SENT, MEMO_JUDGED, MEMO_CANCELED = 0, 1, 2, 3
local REPLY_KEPT = 86400000

-- A packed session without anything by which a guess could be tried. The session is no good for anything after that.
local function snapshot(session)
  session[STEPS], session[RECEIPTS] = {}, nil
  for _, challenge in ipairs(session[CHALLENGES]) do challenge[DIGESTS], challenge[RECEIPT] = {}, nil end
  return cmsgpack.pack(session)
end

local function put_memo(key, was_there, claim, now, kind, held, more)
  put(key, cmsgpack.pack({LAYOUT, claim[1], now + REPLY_KEPT, kind, held, more}), REPLY_KEPT, was_there)
end

-- Whether the key is free; if not: RUNNING, MISMATCH, or REPLAYED with what it holds. claim: body, lease.
local function claimed(claim, packed, now)
  local memo = decode('memo', packed)
  if not memo or memo[3] <= now then return nil end
  if memo[2] ~= claim[1] then return MISMATCH end
  if memo[4] ~= MEMO_RUNNING then return REPLAYED, memo[4], memo[5], memo[6] end
  if memo[6] > now then return RUNNING end
  local session = decode_session(get('session', TAG .. 's' .. SCOPE .. memo[5]))
  if not session or is_forgotten(session, now) then return nil end
  local channels = channels_of(session, false)
  return REPLAYED, MEMO_SENT, snapshot(session), channels
end

-- Holds the key while messages are handed over; answers at once when all are final already.
local function claim_send(key, was_there, claim, session, channels, now)
  for _, challenge in ipairs(session[CHALLENGES]) do
    if challenge[ATTEMPT] == SENDING then
      return put_memo(key, was_there, claim, now, MEMO_RUNNING, ID, now + claim[2])
    end
  end
  put_memo(key, was_there, claim, now, MEMO_SENT, snapshot(session), channels)
end
