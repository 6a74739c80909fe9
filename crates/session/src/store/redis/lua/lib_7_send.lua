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
  challenge[LEASE] = now + lease
end

local function tell_begun(challenge, events)
  tell_outcome(events, challenge[MESSAGE], challenge[CHANNEL], challenge[ATTEMPT], challenge[PROVIDER], false)
end
