-- What a send counts against: the copy of steps/counts.rs.

-- The first channel whose recipient's wrong guesses are used up, and for how long. budgets: two to a channel, channel and key.
local function blocked(budgets, rule, now)
  for at = 1, #budgets, 2 do
    local subject = subject_of(budgets[at + 1])
    local wait = subject and guess_wait(subject, rule, 1, now)
    if wait then return budgets[at], wait end
  end
end

-- The other sessions that count as open: how many, and when the first of them dies.
local function other_sessions(subject, now)
  local count, first = 0, nil
  local active = subject[ACTIVE]
  for at = 1, #active, 3 do
    if active[at] ~= ID and active[at + 2] > now then
      count = count + 1
      if not first or active[at + 2] < first then first = active[at + 2] end
    end
  end
  return count, first
end

-- Lua hands over only so many arguments.
local ASKED_AT_ONCE = 1000

-- nil when one more session may be open; otherwise how long until the first dies. Sessions that ended before their time are found out here.
local function active_wait(subject, max, now)
  if other_sessions(subject, now) < max then return nil end
  local active, open = subject[ACTIVE], {}
  for first = 1, #active, ASKED_AT_ONCE * 3 do
    local names = {}
    for at = first, math.min(first + ASKED_AT_ONCE * 3, #active + 1) - 1, 3 do
      names[#names + 1] = TAG .. 's' .. string.sub(SCOPE, 1, 16) .. string.char(active[at + 1]) .. active[at]
    end
    for nth, packed in ipairs(redis.call('MGET', unpack(names))) do
      local session = decode_session(packed)
      if session and session[END] == 0 and now < session[EXPIRES] then
        local at, size = first + nth * 3 - 3, #open
        open[size + 1], open[size + 2], open[size + 3] = active[at], active[at + 1], session[EXPIRES]
      end
    end
  end
  subject[ACTIVE] = open
  local count, first = other_sessions(subject, now)
  if count < max then return nil end
  return first and first - now
end

-- All counts of a send: key, name, limit, whether it is a user's. users: 16 bytes each. limits: most sends of a user, the window, most open
-- sessions, then the other counts, four to a count: key, name, most, window.
local function counts_of(users, limits)
  local counts, is_user = {}, {}
  local per_user = limit_of(limits[1], limits[2])
  for at = 1, #users, 16 do
    local key = string.sub(users, at, at + 15)
    is_user[key] = true
    counts[#counts + 1] = {key, 0, per_user}
  end
  local more = limits[4]
  for at = 1, #more, 4 do
    counts[#counts + 1] = {more[at], more[at + 1], limit_of(more[at + 2], more[at + 3])}
  end
  return counts, is_user
end

-- Looks whether there is room. If not: the name of the limit (0 sends, 1 open sessions of a user) and how long until there is.
local function no_room(counts, is_user, max_active, now)
  for _, count in ipairs(counts) do
    local key, limit = count[1], count[3]
    local subject = subject_of(key)
    if subject then
      local records, sum = living_records(subject[SENDS], subject[SENDS_SUM], limit, now)
      local wait = window_wait(records, sum, limit, 1, now)
      if wait then return count[2], wait end
    elseif limit.max < 1 then
      return count[2], limit.window
    end
    if is_user[key] then
      if not subject then
        subject = new_subject()
        known_subjects[key] = subject
      end
      local wait = active_wait(subject, max_active, now)
      if wait then return 1, wait end
    end
  end
end

-- Counts the send against everything it counts against.
local function count_send(counts, is_user, open_until, now)
  local touched = {}
  for _, count in ipairs(counts) do
    local key, limit = count[1], count[3]
    local subject = subject_of(key)
    if not subject then
      subject = new_subject()
      known_subjects[key] = subject
    end
    local records, sum = living_records(subject[SENDS], subject[SENDS_SUM], limit, now)
    subject[SENDS], subject[SENDS_SUM] = window_add(records, sum, limit, 1, now)
    if is_user[key] then
      local active, kept = subject[ACTIVE], {}
      for at = 1, #active, 3 do
        if active[at] ~= ID and active[at + 2] > now then
          local size = #kept
          kept[size + 1], kept[size + 2], kept[size + 3] = active[at], active[at + 1], active[at + 2]
        end
      end
      local size = #kept
      kept[size + 1], kept[size + 2], kept[size + 3] = ID, string.byte(SCOPE, 17), open_until
      subject[ACTIVE] = kept
    end
    if not touched[key] then
      touched[key] = true
      touched[#touched + 1] = key
    end
  end
  for _, key in ipairs(touched) do put_subject(key, known_subjects[key], now) end
end
