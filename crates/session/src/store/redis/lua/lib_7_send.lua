-- What a further send brings along: the copy of what resend and advance share in session/send_again.rs.
--
-- codes: kid, length of the codes, whether all channels share one, generations, and macs: 32 bytes for each generation and channel.

-- Why nothing may be sent, as a verdict; nil when something may.
local function refuse_ended(session)
  if session[END] == VERIFIED then return 1 end
  if session[END] > 0 then return 2 end
end

-- Where the macs of the next generation begin; nil when codes of another form or generation are needed.
local function codes_at(session, codes)
  if codes[2] ~= session[LENGTH] or codes[3] ~= session[SHARED] then return nil end
  for at, generation in ipairs(codes[4]) do
    if generation == session[GENERATION] + 1 then return (at - 1) * 128 end
  end
end

local function need(session, now)
  return {NEED, now, -1, 0, session[GENERATION] + 1, session[LENGTH], session[SHARED] and 1 or 0}
end

-- Adds the digest of the new code of a channel.
local function add_digest(challenge, codes, from, generation, expires_at)
  local digests = challenge[DIGESTS]
  local size, place = #digests, from + (challenge[CHANNEL] - 1) * 32
  digests[size + 1], digests[size + 2] = codes[1], string.sub(codes[5], place + 1, place + 32)
  digests[size + 3], digests[size + 4], digests[size + 5] = generation, expires_at, false
end

-- A message that is being handed over, or has been when its provider is final at once. messages: 16 bytes for each channel; instant: a
-- provider or false for each.
local function begin_message(challenge, messages, instant, generation, lease, now)
  local channel = challenge[CHANNEL]
  local provider = instant[channel]
  challenge[MESSAGE], challenge[SENT_IN] = string.sub(messages, channel * 16 - 15, channel * 16), generation
  challenge[ATTEMPT], challenge[PROVIDER], challenge[PROVIDER_ID] = provider and ACCEPTED or SENDING, provider, false
  challenge[STATUS], challenge[SENT_AT], challenge[DELIVERED_AT] = provider and 1 or 0, provider and now, false
  challenge[LEASE], challenge[RECEIPT] = now + lease, nil
end

local function tell_begun(challenge, events)
  tell_outcome(events, challenge[MESSAGE], challenge[CHANNEL], challenge[ATTEMPT], challenge[PROVIDER], false)
end

-- A new message and a new code for a channel that was asked before. What happens to the old code is the resend policy's to say; it stays when its
-- message is believed to have been sent in vain. bring: codes, where their macs begin, messages, instant, generation, expiry, lease.
local function renew(session, challenge, in_vain, bring, events, now)
  local codes, from, messages, instant, generation, expires_at, lease = unpack(bring)
  -- Nobody will say what became of a message whose place is taken: it counts as one that may have gone out.
  if challenge[ATTEMPT] == SENDING then capture(session, challenge[MESSAGE], challenge[COST], events) end
  keep_replaced(session, challenge, in_vain)
  local may_arrive = challenge[ATTEMPT] == SENDING or challenge[ATTEMPT] == UNCLEAR
  local retire = not session[KEEP_OLD] and not may_arrive and not in_vain
  local digests, kept = challenge[DIGESTS], {}
  for at = 1, #digests, 5 do
    local retiring = digests[at + 4] or retire
    -- The provider of an instant message has it already: what retires is dead.
    if digests[at + 3] > now and not (retiring and instant[challenge[CHANNEL]]) then
      for place = at, at + 3 do kept[#kept + 1] = digests[place] end
      kept[#kept + 1] = retiring
    end
  end
  challenge[DIGESTS] = kept
  add_digest(challenge, codes, from, generation, expires_at)
  begin_message(challenge, messages, instant, generation, lease, now)
  tell_begun(challenge, events)
end
