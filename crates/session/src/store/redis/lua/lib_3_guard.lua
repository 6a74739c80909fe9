-- What stands before every step that a caller asks for: the copy of steps/guard.rs. A reply begins with what it is, the moment, and the
-- calls that are left (-1: none was counted) with how long until there are more.

local FRESH, REPLAYED, RUNNING, MISMATCH, STALE, REVOKED, TOO_MANY_CALLS, NEED = 0, 1, 2, 3, 4, 5, 6, 7
local calls_left, calls_reset = -1, 0

local function reply(answer, now, ...)
  return {answer, now, calls_left, calls_reset, ...}
end

-- Counts the call; or returns the reply that turns it away. guard: key, revision, most calls, window. The calls are counted under KEYS[4].
local function admit(guard, packed_head, packed_calls, now)
  local head = decode('head', packed_head)
  if head then
    local revoked = head[3]
    for at = 1, #revoked, 2 do
      if revoked[at] == guard[1] and revoked[at + 1] > now then return reply(REVOKED, now) end
    end
    if head[2] > guard[2] then return reply(STALE, now, head[2]) end
  end
  local calls = decode('subject', packed_calls) or new_subject()
  local limit = limit_of(guard[3], guard[4])
  local records, sum = living_records(calls[SENDS], calls[SENDS_SUM], limit, now)
  local size = #records
  local wait = window_wait(records, sum, limit, 1, now)
  if not wait then
    records, sum = window_add(records, sum, limit, 1, now)
    calls[SENDS], calls[SENDS_SUM] = records, sum
    -- A call in the bucket of the one before it lengthens nothing: the window is remembered twice as long as it counts.
    local life = #records == size and AS_BEFORE or limit.window * 2
    put(KEYS[4], cmsgpack.pack(calls), life, packed_calls)
  end
  calls_left = math.max(limit.max - sum, 0)
  calls_reset = wait or window_wait(records, sum, limit, calls_left + 1, now) or limit.window
  if wait then return reply(TOO_MANY_CALLS, now) end
end
