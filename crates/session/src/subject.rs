//! What is counted about a user, a recipient or an address: one value with all its counts, so that a step touches it once.

use std::time::Duration;

use countersign_model::{KeyKind, Limit, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::window::Window;

/// First block of a recipient that only ever fails.
const FIRST_BLOCK: Duration = Duration::from_hours(24);
/// Longest block.
const LONGEST_BLOCK: Duration = Duration::from_hours(24 * 30);
/// No window of a limit is longer than a day, and no bucket of one longer than half an hour.
const LONGEST_WINDOW: Duration = Duration::from_hours(25);
/// How long a row of wrong guesses is remembered after its last.
const ROW_KEPT: Duration = Duration::from_hours(24 * 400);

/// How many wrong guesses a recipient is worth (NIST SP 800-63B-4, 3.2.2), over all sessions and resends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetRule {
    /// Wrong guesses in a window.
    pub wrong: Limit,
    /// Wrong guesses in a row, over any time, after which the recipient is blocked; each further one blocks again, for twice as long.
    pub block_after: u32,
}

/// The counts of one subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Subject {
    /// Sends.
    pub(crate) sends: Window,
    /// Sessions that were opened and have not expired. One that ended sooner is found out when there is no room for another.
    pub(crate) active: Vec<Active>,
    /// Wrong guesses.
    wrong: Window,
    /// Wrong guesses since the last right one.
    in_a_row: u32,
    /// End of the block.
    blocked_until: Option<Timestamp>,
    /// Blocks since the last right guess.
    blocks: u8,
}

/// A session that counts as open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Active {
    pub(crate) session: SessionId,
    pub(crate) keys: KeyKind,
    pub(crate) until: Timestamp,
}

impl Subject {
    /// Notes that `session` is open.
    pub(crate) fn enter(&mut self, session: Active, now: Timestamp) {
        self.active.retain(|active| active.session != session.session && active.until > now);
        self.active.push(session);
    }

    /// The other sessions that count as open.
    pub(crate) fn others(&self, session: SessionId, now: Timestamp) -> impl Iterator<Item = Active> {
        self.active.iter().copied().filter(move |active| active.session != session && active.until > now)
    }

    /// None when `more` wrong guesses may still be heard; otherwise how long until they may.
    pub(crate) fn guess_wait(&self, rule: BudgetRule, more: u32, now: Timestamp) -> Option<Duration> {
        let blocked = self.blocked_until.filter(|until| *until > now).map(|until| until.since(now));
        blocked.max(self.wrong.wait(rule.wrong, more, now))
    }

    /// Counts wrong guesses. Some when that blocks the recipient: until when.
    pub(crate) fn guessed_wrong(&mut self, rule: BudgetRule, more: u32, now: Timestamp) -> Option<Timestamp> {
        self.wrong.add(rule.wrong, more, now);
        self.in_a_row = self.in_a_row.saturating_add(more);
        if self.in_a_row < rule.block_after {
            return None;
        }
        let span = FIRST_BLOCK.saturating_mul(1 << self.blocks.min(8)).min(LONGEST_BLOCK);
        self.blocks = self.blocks.saturating_add(1);
        self.blocked_until = Some(now.plus(span));
        self.blocked_until
    }

    /// A right guess ends the row. Tells whether that changed anything.
    pub(crate) fn guessed_right(&mut self) -> bool {
        let changed = self.in_a_row > 0 || self.blocks > 0;
        self.in_a_row = 0;
        self.blocks = 0;
        changed
    }

    /// Forgets all wrong guesses. Tells whether they kept one more from being heard.
    pub(crate) fn forgive(&mut self, rule: BudgetRule, now: Timestamp) -> bool {
        let was_blocked = self.guess_wait(rule, 1, now).is_some();
        self.wrong = Window::default();
        (self.in_a_row, self.blocked_until, self.blocks) = (0, None, 0);
        was_blocked
    }

    /// When it may be forgotten. A row of wrong guesses is kept for long: forgetting it sooner would let a patient guesser start anew.
    pub(crate) fn forget_at(&self, now: Timestamp) -> Timestamp {
        let counts = now.plus(LONGEST_WINDOW);
        let row = if self.in_a_row > 0 { now.plus(ROW_KEPT) } else { now };
        let active = self.active.iter().map(|active| active.until).max().unwrap_or(now);
        counts.max(row).max(active).max(self.blocked_until.unwrap_or(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: BudgetRule = BudgetRule { wrong: Limit { max: 20, window: FIRST_BLOCK }, block_after: 100 };

    /// Uses up the window day after day, and counts the days until the first block.
    fn guess_until_blocked(subject: &mut Subject, now: &mut Timestamp) -> Timestamp {
        loop {
            while subject.guess_wait(RULE, 1, *now).is_none() {
                if let Some(until) = subject.guessed_wrong(RULE, 1, *now) {
                    return until;
                }
            }
            *now = now.plus(subject.guess_wait(RULE, 1, *now).unwrap());
        }
    }

    #[test]
    fn twenty_wrong_guesses_a_day_are_heard_and_no_more() {
        let mut subject = Subject::default();
        let now = Timestamp::from_millis(0);
        for _ in 0..20 {
            assert_eq!(subject.guess_wait(RULE, 1, now), None);
            subject.guessed_wrong(RULE, 1, now);
        }
        assert_eq!(subject.guess_wait(RULE, 1, now), Some(FIRST_BLOCK));
        assert!(subject.guess_wait(RULE, 1, now.plus(FIRST_BLOCK)).is_none());
    }

    #[test]
    fn a_hundred_in_a_row_block_for_a_day_and_each_further_one_for_twice_as_long() {
        let mut subject = Subject::default();
        let mut now = Timestamp::from_millis(0);
        let mut spans = Vec::new();
        for _ in 0..7 {
            let until = guess_until_blocked(&mut subject, &mut now);
            spans.push(until.since(now).as_secs() / 86_400);
            now = until;
        }
        assert_eq!(spans, [1, 2, 4, 8, 16, 30, 30]);
    }

    #[test]
    fn a_right_guess_ends_the_row_but_not_the_day() {
        let mut subject = Subject::default();
        let now = Timestamp::from_millis(0);
        for _ in 0..20 {
            subject.guessed_wrong(RULE, 1, now);
        }
        assert!(subject.guessed_right());
        assert!(!subject.guessed_right());
        assert_eq!(subject.guess_wait(RULE, 1, now), Some(FIRST_BLOCK));
    }

    #[test]
    fn a_call_with_more_guesses_than_are_left_waits() {
        let mut subject = Subject::default();
        let now = Timestamp::from_millis(0);
        subject.guessed_wrong(RULE, 18, now);
        assert!(subject.guess_wait(RULE, 2, now).is_none());
        assert!(subject.guess_wait(RULE, 3, now).is_some());
    }
}
