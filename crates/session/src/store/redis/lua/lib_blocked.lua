-- Recipients whose wrong guesses are used up: a part of the copy of steps/counts.rs.

-- The first channel whose recipient's wrong guesses are used up, and for how long. budgets: two to a channel, channel and key.
local function blocked(budgets, rule, now)
  for at = 1, #budgets, 2 do
    local subject = subject_of(budgets[at + 1])
    local wait = subject and guess_wait(subject, rule, 1, now)
    if wait then return budgets[at], wait end
  end
end
