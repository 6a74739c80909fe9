-- What a session is found by besides its id: the copy of steps/names.rs. A name holds three to a session, the newest last: id, kind of key,
-- until when.

local NAMED_KEPT = 64

-- How long the session under a slot keeps it; nil where the slot is free.
local function slot_wait(packed, now)
  local row = decode('name', packed)
  if not row or row[4] <= now then return nil end
  local session = decode_session(get('session', TAG .. 's' .. string.sub(SCOPE, 1, 16) .. string.char(row[3]) .. row[2]))
  if not session or session[END] > 0 or now >= session[EXPIRES] then return nil end
  -- What a retry follows went out.
  if taken_in_vain(session) > 0 then return session[EXPIRES] - now end
  for _, challenge in ipairs(session[CHALLENGES]) do
    local unknown = challenge[ATTEMPT] == SENDING or (challenge[ATTEMPT] == UNCLEAR and not challenge[PROVIDER])
    if not unknown or challenge[LEASE] > now then return session[EXPIRES] - now end
  end
end

-- Whether none of these names stands for anybody.
local function is_unnamed(values, first, last, now)
  for at = first, last do
    local row = decode('name', values[at])
    for place = 4, row and #row or 0, 3 do
      if row[place] > now then return false end
    end
  end
  return true
end

-- Stages a name that stands for this session, too. row: what is kept of it; packed: what was there.
local function put_name(key, row, packed, ends_at, now)
  local living, kept, life = {}, {LAYOUT}, ends_at - now
  for place = 2, row and #row or 0, 3 do
    if row[place + 2] > now and row[place] ~= ID then living[#living + 1] = place end
  end
  for nth = math.max(#living - NAMED_KEPT + 2, 1), #living do
    local place, size = living[nth], #kept
    kept[size + 1], kept[size + 2], kept[size + 3] = row[place], row[place + 1], row[place + 2]
    life = math.max(life, row[place + 2] - now)
  end
  local size = #kept
  kept[size + 1], kept[size + 2], kept[size + 3] = ID, string.byte(SCOPE, 17), ends_at
  put(key, cmsgpack.pack(kept), life, packed)
end
