-- The answers that idempotency keys keep: a part of the copy of steps/claims.rs. A memo holds: body, when it is forgotten, what it is, and then
-- the session and the lease of a running call, or a packed session and what else was answered.

local MEMO_RUNNING, MEMO_SENT, MEMO_JUDGED, MEMO_CANCELED = 0, 1, 2, 3
local REPLY_KEPT = 86400000

-- A packed session without anything by which a guess could be tried. The session is no good for anything after that.
local function snapshot(session)
  session[STEPS] = {}
  for _, challenge in ipairs(session[CHALLENGES]) do challenge[DIGESTS] = {} end
  return cmsgpack.pack(session)
end

local function put_memo(key, was_there, claim, now, kind, held, more)
  put(key, cmsgpack.pack({LAYOUT, claim[1], now + REPLY_KEPT, kind, held, more}), REPLY_KEPT, was_there)
end
