-- What every script begins and ends with.
--
-- KEYS[1] is the partition's meta. ARGV[1] is the moment in milliseconds or, behind an "l", the last
-- one of the store's own time at which anybody waits: a script that a server runs later, because it stood still, does nothing. ARGV[2] is all that the step
-- brings, packed. A script reads and checks, decides, and writes at its very end: see commit(). What it refuses in error() has changed
-- nothing. A key that only a value names is made from the tag of the partition, so that it lies in the same slot.

local LAYOUT = 1
-- Before every key of the partition: its tag.
local TAG = string.sub(KEYS[1], 1, -5)

local function fail(what)
  error({err = 'CS ' .. what})
end

-- The store's time, in whole milliseconds.
local function moment()
  local last = string.match(ARGV[1], '^l(%d+)$')
  if not last then return tonumber(ARGV[1]) end
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  if now > tonumber(last) then fail('LATE') end
  return now
end

-- A packed value; nil where there is none.
local function decode(what, packed)
  if not packed then return nil end
  local read, value = pcall(cmsgpack.unpack, packed)
  if not read or type(value) ~= 'table' or value[1] ~= LAYOUT then fail('CORRUPT ' .. what) end
  return value
end

-- A partition without its meta is empty or not ours: nothing may be decided from what is missing there.
local function check_meta(meta)
  if not meta then fail('UNINITIALISED no meta') end
  if string.sub(meta, 1, 2) ~= '1:' then fail('UNINITIALISED of another layout') end
end

-- One key that is read only where it is needed.
local function get(what, key)
  local packed = redis.pcall('GET', key)
  if type(packed) == 'table' then fail('CORRUPT ' .. what) end
  return packed
end

-- What commit() will write, three to a key: key, value, milliseconds to live (0: for ever; AS_BEFORE: as long as it would have, which is
-- cheaper than to say it again). MGET tells a key of another type as absent, so what was absent is written apart.
local AS_BEFORE = 'as before'
local made, replaced = {}, {}

local function put(key, packed, life, was_there)
  local list = was_there and replaced or made
  local size = #list
  list[size + 1], list[size + 2], list[size + 3] = key, packed, life
end

local function set(list, at, ...)
  local life = list[at + 2]
  if life == 0 then return redis.call('SET', list[at], list[at + 1], ...) end
  if life == AS_BEFORE then return redis.call('SET', list[at], list[at + 1], 'KEEPTTL') end
  return redis.call('SET', list[at], list[at + 1], 'PX', life < 1 and 1 or life, ...)
end

-- Writes, whole or not at all. First what a key of another type can refuse, each with what takes it back: keys that must not be there yet
-- (NX), then `others`, commands with the command that takes them back (false for the last one). Then what cannot be refused.
local function commit(others)
  local undo = {}
  local function revert(key)
    for at = #undo, 1, -1 do redis.call(unpack(undo[at])) end
    fail('CORRUPT key ' .. string.sub(key, #TAG + 1, #TAG + 1))
  end
  for at = 1, #made, 3 do
    if not set(made, at, 'NX') then revert(made[at]) end
    undo[#undo + 1] = {'DEL', made[at]}
  end
  if others then
    for at = 1, #others, 2 do
      local answered = redis.pcall(unpack(others[at]))
      if type(answered) == 'table' and answered.err then revert(others[at][2]) end
      undo[#undo + 1] = others[at + 1] or nil
    end
  end
  for at = 1, #replaced, 3 do set(replaced, at) end
end
